// MqttPublisher: publishes durable results over a connection of its own, so that nothing it sends can carry an acknowledgement
// of the source out too early. Client id is the pipeline's with "-out", with a clean start: what is not confirmed is in the
// outbox. Within the process the library resends after a reconnect; each ticket is answered once.
//
// At most in_flight_max rows at a time. A v5 broker may refuse a row: for good (the ticket is rejected) or for now (quota):
// then the row is published again after a pause, from a copy that is kept of every row in flight; with 3.1.1 or QoS 0 nothing
// can come back and no copy is kept.
//
// QoS 0 is at most once: written is published, and so is what a lost connection took along.
//
// Owned by the pipeline; reactor thread only. Memory from the arena.
#pragma once

#include <string>

#include "agent/base/arena.h"
#include "agent/model/publisher.h"
#include "connectors/mqtt/connector.h"
#include "connectors/mqtt/mqtt_client.h"

namespace weir {

struct MqttPublisherSpec {
  std::string name;  // the pipeline's; prefixes pools
  std::string host;
  uint16_t port = 1883;
  bool version_5 = true;
  std::string client_id;  // without "-out"
  std::string username;
  std::string password;
  uint8_t qos = 1;  // 0 or 1
  bool retain = false;
  int64_t keepalive_ms = 60000;
  size_t row_bytes_max = 0;  // topic and payload of one row
};

class MqttPublisher final : public Publisher, private MqttListener, private ConnectorUser {
 public:
  static constexpr uint32_t in_flight_max = 100;

  MqttPublisher(const MqttPublisherSpec& spec, Arena& arena);

  Status start(Poller& poller, PublisherHandler& handler, Now now) override;
  bool ready() const override { return connector_.is_established() && !stopping_ && used_ < in_flight_max; }
  void publish(const OutboxRow& row, uint32_t ticket, Now now) override;
  void stop(Now now, int64_t deadline_boot_ms) override;
  bool finished() const override { return stopping_ && connector_.closed(); }
  void on_tick(Now now) override;
  PublisherStatus status() const override;

 private:
  /// Delayed: the broker refused it for now. Refused: for good; the handler is told outside of its own call.
  enum class State : uint8_t { Free, InFlight, Delayed, Refused };
  struct Slot {
    State state = State::Free;
    uint16_t mid = 0;
    uint32_t ticket = 0;
    int64_t retry_boot_ms = 0;
    uint32_t topic_bytes = 0;
    uint32_t payload_bytes = 0;
    Hash128 id;
    const char* reason = nullptr;  // Refused
  };

  static MqttOptions client_options(const MqttPublisherSpec& spec);

  void on_connack(const Connack& connack) override;
  void on_arrival(const Arrival&) override {}
  void on_subscribed(uint16_t, int) override {}
  void on_published(uint16_t mid, int reason_code) override;
  bool may_connect() const override { return !stopping_; }
  void on_connecting() override {}
  void on_socket(uint32_t events, Now now) override;

  std::span<char> room_of(size_t slot);
  size_t packet_bytes(const Slot& slot) const;
  bool keep(size_t slot, const OutboxRow& row);
  void send(size_t slot);
  void refuse(size_t slot, const char* reason);
  uint32_t release(size_t slot);
  void confirm(size_t slot);
  void answer_refused();
  void retry_delayed();
  bool read();
  void say_goodbye();
  void settle();
  void on_lost();

  MqttPublisherSpec spec_;
  MqttClient client_;
  Connector connector_;
  std::span<Slot> slots_;
  bool keeps_rows_;
  std::span<char> rows_;  // a row per slot, or one for all: topic, zero, payload
  PublisherHandler* handler_ = nullptr;
  uint32_t used_ = 0;
  uint64_t published_ = 0;
  uint32_t packet_bytes_max_ = 0;  // what the broker takes; 0: it named no limit
  bool busy_ = false;              // inside the library or the handler: settle() comes later
  bool room_ = false;              // the handler has not been told yet that it may publish
  bool stopping_ = false;
  bool goodbye_said_ = false;
  int64_t stop_deadline_boot_ms_ = 0;
  Now now_;
};

}  // namespace weir
