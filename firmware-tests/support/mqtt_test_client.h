// MQTT clients for tests: a publisher that pipelines thousands of messages per second with a bounded number in flight, and a
// subscriber that collects what arrives. Each owns one background thread with its own poll loop and reconnects by itself;
// every public function may be called from any thread. Destroying one disconnects and joins the thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include "agent/base/status.h"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace weir {

struct MqttClientOptions {
  uint16_t port = 0;
  std::string client_id{};  // empty: the broker chooses
  bool version5 = true;     // else 3.1.1
  bool persistent = false;  // the broker keeps the session while we are away
  uint16_t in_flight_max = 200;
};

/// What publisher and subscriber share: the handle, the connection and the thread that serves it.
class MqttTestClient {
 public:
  explicit MqttTestClient(MqttClientOptions options);
  virtual ~MqttTestClient();
  MqttTestClient(const MqttTestClient&) = delete;
  MqttTestClient& operator=(const MqttTestClient&) = delete;

  /// Connects and waits for the broker's answer. Code::Unavailable at the deadline.
  Status connect(int64_t deadline_ms = 5000);
  bool connected() const { return connected_; }
  uint64_t connects() const { return connects_; }
  /// Says goodbye and ends the thread; a persistent session stays at the broker.
  void stop();
  /// Cuts the connection without a word, as a dying process would.
  void vanish();

 protected:
  virtual void on_connected(bool /*session_present*/) {}
  virtual void on_published(int /*packet_id*/) {}
  virtual void on_message(const mosquitto_message& /*message*/, const mqtt5__property* /*properties*/) {}
  virtual void on_log(const char* /*text*/) {}
  virtual void on_subscribed() {}

  mosquitto* handle() const { return handle_; }
  /// Makes the thread look at what was queued for sending.
  void wake();
  void watch_log();

  MqttClientOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;

 private:
  struct Callbacks;
  void run();
  bool serve(int socket);
  void reconnect();

  mosquitto* handle_ = nullptr;
  int wake_fd_ = -1;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> vanishing_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> wake_pending_{false};
  std::atomic<uint64_t> connects_{0};
};

class MqttTestPublisher final : public MqttTestClient {
 public:
  explicit MqttTestPublisher(MqttClientOptions options) : MqttTestClient(std::move(options)) {}
  ~MqttTestPublisher() override { stop(); }

  /// Hands one message over; waits while `in_flight_max` are unacknowledged. Code::Unavailable at the deadline.
  Status publish(std::string_view topic, std::string_view payload, int qos = 1, bool retain = false,
                 int64_t deadline_ms = 30'000);
  /// Waits until the broker has acknowledged every message handed over.
  bool drain(int64_t deadline_ms = 30'000);
  uint64_t sent() const { return sent_; }
  uint64_t acknowledged() const { return acknowledged_; }

 protected:
  void on_published(int packet_id) override;

 private:
  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> acknowledged_{0};
};

struct ReceivedMessage {
  std::string topic;
  std::string payload;
  std::string weir_id;  // the user property, if there is one
  int qos = 0;
  bool retained = false;
  bool dup = false;
};

class MqttSubscriber final : public MqttTestClient {
 public:
  explicit MqttSubscriber(MqttClientOptions options);
  ~MqttSubscriber() override { stop(); }

  /// Subscribes now and after every connection at which the broker has no session; waits for the answer.
  Status subscribe(const std::string& filter, int qos = 1, int64_t deadline_ms = 5000);
  /// Calls `handler` on the client's thread for every message instead of collecting it. Before connect().
  void set_handler(std::function<void(const ReceivedMessage&)> handler) { handler_ = std::move(handler); }
  size_t count();
  bool wait_for_count(size_t count, int64_t deadline_ms = 10'000);
  /// Messages that differ in topic or payload: what a sender that repeats itself after a crash really had to say.
  size_t distinct();
  bool wait_for_distinct(size_t count, int64_t deadline_ms = 10'000);
  /// All so far, in the order of arrival.
  std::vector<ReceivedMessage> messages();

 protected:
  void on_connected(bool session_present) override;
  void on_message(const mosquitto_message& message, const mqtt5__property* properties) override;
  void on_log(const char* text) override;
  void on_subscribed() override;

 private:
  std::vector<ReceivedMessage> messages_;
  std::unordered_set<std::string> distinct_;  // topic, line feed, payload
  std::vector<std::pair<std::string, int>> filters_;
  std::function<void(const ReceivedMessage&)> handler_;
  uint64_t granted_ = 0;
  bool next_is_dup_ = false;  // the library's thread only
};

/// Takes the session of `client_id` away from whoever holds it, as a second client with the same id does, and goes at once,
/// without acknowledging any of what the broker sends.
Status take_over_session(uint16_t port, const std::string& client_id, bool version5 = true);

}  // namespace weir
