// FakeBroker: a scripted MQTT broker (3.1.1 and 5) on a loopback socket, for tests that must see every byte a client sends and
// when. A thread of its own accepts, records what arrives and answers what is to be answered; the test's thread sends
// publications and asks what was recorded. One connection at a time; a new one takes the place of the old.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir {

enum class Packet : uint8_t {
  Connect = 1,
  Connack = 2,
  Publish = 3,
  Puback = 4,
  Subscribe = 8,
  Suback = 9,
  Unsubscribe = 10,
  Unsuback = 11,
  Pingreq = 12,
  Pingresp = 13,
  Disconnect = 14
};

struct ReceivedPacket {
  int connection = 0;  // 1, 2, ... in the order of CONNECTs
  Packet type = Packet::Connect;
  uint8_t flags = 0;
  std::string body;                                             // without the fixed header
  uint16_t mid = 0;                                             // of PUBACK, SUBSCRIBE, UNSUBSCRIBE and PUBLISH at QoS 1
  std::string topic;                                            // of PUBLISH; the first filter of (UN)SUBSCRIBE
  std::string payload;                                          // of PUBLISH
  std::vector<std::pair<std::string, std::string>> properties;  // user properties of PUBLISH
  uint8_t options = 0;                                          // of SUBSCRIBE
};

struct Publication {
  std::string topic;
  std::string payload;
  uint16_t mid = 0;  // 0: QoS 0
  bool dup = false;
  bool retain = false;
};

/// How the broker answers.
struct Answers {
  bool session_present = false;
  int connack_reason = 0;
  bool connack = true;
  int suback_code = -1;  // -1: what was asked for
  int puback_reason = 0;
  bool puback = true;
  uint16_t receive_maximum = 0;  // v5 CONNACK; 0: not named
  uint32_t max_packet_size = 0;  // v5 CONNACK; 0: not named
};

class FakeBroker {
 public:
  FakeBroker();
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  uint16_t port() const { return port_; }

  /// Changes how packets are answered from now on.
  void answer(const std::function<void(Answers&)>& change);

  void publish(const Publication& publication);
  void send_bytes(const std::string& bytes);
  /// Acknowledges what a client has published.
  void send_puback(uint16_t mid, int reason);
  void close_connection();
  /// Closes the connection with a TCP reset.
  void reset_connection();
  /// A v5 DISCONNECT with this reason, then the end of the connection.
  void send_disconnect(uint8_t reason);

  std::vector<ReceivedPacket> received() const;
  size_t count(Packet type, int connection = 0) const;
  std::vector<uint16_t> mids(Packet type, int connection = 0) const;
  int connections() const;
  bool connected() const;

 private:
  void run();
  void accept_connection();
  bool read_connection();
  bool take_packet();
  void handle(ReceivedPacket packet);
  void answer_connect(const std::string& body);
  void answer_publish(ReceivedPacket& packet);
  void answer_subscribe(ReceivedPacket& packet, bool unsubscribe);
  void send_locked(Packet type, uint8_t flags, const std::string& body);
  void write_locked(const std::string& bytes);
  void end_connection_locked();

  mutable std::mutex mutex_;
  std::thread thread_;
  int listener_ = -1;
  int wake_ = -1;
  int connection_ = -1;
  int connection_count_ = 0;
  uint16_t port_ = 0;
  Answers answers_;
  bool version_5_ = false;
  bool stopping_ = false;
  std::string input_;
  std::vector<ReceivedPacket> received_;
};

}  // namespace weir
