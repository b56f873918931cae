// ControlTopic: a topic on which the agent takes commands, one per message, and answers on TOPIC/answer. Whoever may publish
// there may ask: the broker's access rules are the only lock. A connection of its own with a clean start, QoS 1; retained
// messages are old and left alone. One command at a time: what comes before it is answered gets "error: busy".
//
// Owned by the agent; reactor thread only; memory from the arena.
#pragma once

#include <string>

#include "agent/base/arena.h"
#include "agent/base/text_writer.h"
#include "agent/model/poller.h"
#include "connectors/mqtt/connector.h"
#include "connectors/mqtt/mqtt_client.h"

namespace weir {

struct ControlTopicSpec {
  std::string host;
  uint16_t port = 1883;
  bool version_5 = true;
  std::string client_id;
  std::string username;
  std::string password;
  std::string topic;
  int64_t keepalive_ms = 60000;
};

class ControlTopicHandler {
 public:
  virtual ~ControlTopicHandler() = default;
  /// The line lives until ControlTopic::answer(), which must follow, at once or later.
  virtual void on_control(std::string_view line, TextWriter& out, Now now) = 0;
};

class ControlTopic final : private MqttListener, private ConnectorUser {
 public:
  static constexpr size_t line_max = 256;
  static constexpr size_t answer_max = 8 * 1024;

  ControlTopic(const ControlTopicSpec& spec, Arena& arena);

  Status start(Poller& poller, ControlTopicHandler& handler, Now now);
  /// The answer to the command in hand is in its writer.
  void answer(Now now);
  void on_tick(Now now);
  void stop() { connector_.close(); }
  bool connected() const { return subscribed_; }

 private:
  void on_connack(const Connack& connack) override;
  void on_arrival(const Arrival& arrival) override;
  void on_subscribed(uint16_t, int granted_qos) override;
  void on_published(uint16_t, int) override {}
  bool may_connect() const override { return true; }
  void on_connecting() override { subscribed_ = false; }
  void on_socket(uint32_t events, Now now) override;

  void publish(std::string_view text);
  void take();
  void settle();

  ControlTopicSpec spec_;
  std::string answer_topic_;
  MqttClient client_;
  Connector connector_;
  std::span<char> line_;
  TextWriter answer_;
  size_t line_size_ = 0;
  bool arrived_ = false;  // line_ holds a command that nobody has been told of yet
  bool waiting_ = false;  // for its answer
  bool refused_ = false;  // one more came meanwhile
  bool subscribed_ = false;
  ControlTopicHandler* handler_ = nullptr;
  Now now_;
};

}  // namespace weir
