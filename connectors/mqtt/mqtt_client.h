// MqttClient: one libmosquitto handle, driven by its owner's poll loop. It is the only file that names mosquitto: every call
// into the library runs with its allocations charged to HeapOwner::Mosquitto, every callback body with Weir's.
//
// The library is switched to "threaded" (an external loop) before it connects: an acknowledgement is then only queued by
// read_one() and leaves in write(), never earlier and never by itself. Everything else (a ping, a subscription) waits in the
// same queue, first in, first out: whoever calls write() sends the acknowledgements queued before it as well.
// connect() discards what the previous connection had queued.
//
// Never blocks: the address is numeric and the TCP connection is made in the background; its failure shows in read_one() or
// write(). Reactor thread only. The process must ignore SIGPIPE.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/bytes.h"
#include "agent/base/status.h"

struct mosquitto;

namespace weir {

struct MqttOptions {
  std::string client_id;
  std::string username;  // empty: none
  std::string password;
  bool version_5 = true;  // else 3.1.1
  bool clean_start = false;
  int64_t session_expiry_ms = 0;    // v5
  uint16_t receive_maximum = 1000;  // v5: unacknowledged messages that the broker may send
  uint16_t send_maximum = 20;       // published messages in flight; a v5 broker may ask for fewer
  uint64_t max_packet_size = 0;     // v5: the broker withholds larger packets; 0: no limit
  int64_t keepalive_ms = 60000;     // rounded up to whole seconds, at least 5
};

/// Whether the broker marked a delivery as a redelivery. Unknown: nobody asked (observe_dup), or the library did not say.
enum class Dup : uint8_t { Unknown, No, Yes };

/// A PUBLISH of the broker. Views; good until the callback returns.
struct Arrival {
  std::string_view topic;
  Bytes payload;
  uint16_t mid = 0;  // packet id; 0 at QoS 0
  uint8_t qos = 0;
  bool retained = false;
  Dup dup = Dup::Unknown;
};

struct Connack {
  bool accepted = false;
  bool session_present = false;
  uint32_t max_packet_size = 0;  // what the broker takes, bytes; 0: it named no limit
};

/// Called from inside read_one(), write() and check_keepalive(). A listener may publish, subscribe and call observe_dup; it
/// must not call read_one(), write() or connect(), for the library holds a lock.
class MqttListener {
 public:
  virtual ~MqttListener() = default;
  virtual void on_connack(const Connack& connack) = 0;
  virtual void on_arrival(const Arrival& arrival) = 0;
  /// One per filter of the SUBSCRIBE with packet id `mid`; 0x80 and above: refused.
  virtual void on_subscribed(uint16_t mid, int granted_qos) = 0;
  /// The broker has taken (or, from 0x80 on, refused) what was published with `mid`. At QoS 0: it was written.
  virtual void on_published(uint16_t mid, int reason_code) = 0;
};

enum class ReadResult : uint8_t { Packet, Drained, Lost };
/// Who ended a connection. TakenOver: the broker says that another client came with the same id (MQTT 5). Closed: the broker,
/// without a word.
enum class Ending : uint8_t { Other, Closed, TakenOver };
enum class RetainHandling : uint8_t { SendIfNew, Never, Always };

class MqttClient {
 public:
  MqttClient(const MqttOptions& options, MqttListener& listener);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  /// Begins to connect to a numeric address. An error means that this address is of no use now.
  Status connect(const char* address, uint16_t port);
  /// -1 while there is no connection, nor one being made.
  int fd() const;

  /// Handles at most one packet. (A client with messages of its own in flight may handle several: the library decides.)
  ReadResult read_one();
  /// Sends what is queued as far as the socket takes it, in as few segments as possible. False: the connection is lost.
  bool write();
  bool wants_write() const;
  /// Queues a PINGREQ when one is due. False: the connection is lost.
  bool check_keepalive();
  /// Ends the connection at once; what is queued is never sent.
  void drop();
  /// Queues DISCONNECT; the connection ends when write() has sent it.
  void disconnect();

  /// While on, arrivals say whether they are redeliveries. The library reveals that only in a log line that it formats for
  /// every packet, so it is on only while it matters.
  void observe_dup(bool on);

  Status subscribe(const char* filter, uint8_t qos, RetainHandling retain, uint16_t& mid);
  Status unsubscribe(const char* filter);

  /// Hands a message to the library, which resends it by itself after a reconnect. `weir_id`: a v5 user property, or nullptr.
  /// Ok: on_published(mid) will follow. Any error: the library did not take it and never will.
  Status publish(const char* topic, Bytes payload, uint8_t qos, bool retain, const char* weir_id, uint16_t& mid);

  /// Why the last connection ended or could not be made; a constant.
  const char* error() const { return error_; }
  /// How it ended, as far as the broker's side tells.
  Ending ending() const { return ending_; }
  bool version_5() const { return options_.version_5; }
  const MqttOptions& options() const { return options_; }

 private:
  struct Callbacks;

  void set_up_handle();
  void store_connect_properties();
  void note_failure(int code, int error_number);

  MqttOptions options_;
  MqttListener& listener_;
  mosquitto* handle_ = nullptr;
  bool dropped_ = false;
  bool disconnecting_ = false;
  bool explained_ = false;  // error_ already says it better than the library's code will
  const char* error_ = "";
  Ending ending_ = Ending::Other;
  Dup dup_ = Dup::Unknown;  // of the PUBLISH that the log has announced and on_arrival has not seen yet
  uint16_t dup_mid_ = 0;
};

/// What the library logs before it hands over a PUBLISH. Dup::Unknown if `line` is not such a line of this client.
struct PublishLine {
  Dup dup = Dup::Unknown;
  uint16_t mid = 0;
};
PublishLine parse_publish_line(std::string_view line, std::string_view client_id);

/// The one mapping from libmosquitto's codes to texts; `error_number` is errno as the failing call left it.
const char* mqtt_error_text(int code, int error_number);
/// The text of a reason code of MQTT v5.
const char* mqtt_reason_text(int reason_code);

}  // namespace weir
