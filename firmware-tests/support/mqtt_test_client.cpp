#include "firmware-tests/support/mqtt_test_client.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "agent/base/assert.h"
#include "firmware-tests/support/free_port.h"
#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

constexpr int keepalive_seconds = 60;
constexpr uint32_t session_expiry_seconds = 3600;
constexpr int64_t reconnect_pause_ms = 20;
constexpr int poll_ms = 200;

std::once_flag library_started;

std::chrono::milliseconds milliseconds(int64_t count) { return std::chrono::milliseconds(count); }

std::string user_property(const mqtt5__property* properties, std::string_view wanted) {
  char* name = nullptr;
  char* value = nullptr;
  std::string found;
  bool skip_first = false;
  while (properties != nullptr) {
    properties = mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name, &value, skip_first);
    if (properties == nullptr) break;
    if (name == wanted) found = value;
    free(name);
    free(value);
    skip_first = true;
  }
  return found;
}

}  // namespace

/// The library's C callbacks, turned into calls of the client.
struct MqttTestClient::Callbacks {
  static MqttTestClient& client(void* self) { return *static_cast<MqttTestClient*>(self); }

  static void connected(mosquitto*, void* self, int reason, int flags, const mosquitto_property*) {
    if (reason != 0) return;
    MqttTestClient& to = client(self);
    to.on_connected((flags & 1) != 0);
    const std::lock_guard lock(to.mutex_);
    to.connected_ = true;
    ++to.connects_;
    to.changed_.notify_all();
  }
  static void disconnected(mosquitto*, void* self, int, const mosquitto_property*) { client(self).connected_ = false; }
  static void published(mosquitto*, void* self, int id, int, const mosquitto_property*) { client(self).on_published(id); }
  static void message(mosquitto*, void* self, const mosquitto_message* message, const mosquitto_property* properties) {
    client(self).on_message(*message, properties);
    // Nobody drains the library's wake pipe: a full one leaves EAGAIN behind, which would look like an empty socket.
    errno = 0;
  }
  static void subscribed(mosquitto*, void* self, int, int, const int*, const mosquitto_property*) {
    client(self).on_subscribed();
  }
  static void log(mosquitto*, void* self, int, const char* text) { client(self).on_log(text); }
};

MqttTestClient::MqttTestClient(MqttClientOptions options) : options_(std::move(options)) {
  std::call_once(library_started, [] { mosquitto_lib_init(); });
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const char* id = options_.client_id.empty() ? nullptr : options_.client_id.c_str();
  handle_ = mosquitto_new(id, !options_.persistent, this);
  WEIR_ASSERT(handle_ != nullptr && wake_fd_ >= 0);
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, options_.version5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, options_.in_flight_max);
  mosquitto_int_option(handle_, MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
  mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_threaded_set(handle_, true);
  mosquitto_connect_v5_callback_set(handle_, Callbacks::connected);
  mosquitto_disconnect_v5_callback_set(handle_, Callbacks::disconnected);
  mosquitto_publish_v5_callback_set(handle_, Callbacks::published);
  mosquitto_message_v5_callback_set(handle_, Callbacks::message);
  mosquitto_subscribe_v5_callback_set(handle_, Callbacks::subscribed);
}

MqttTestClient::~MqttTestClient() {
  stop();
  mosquitto_destroy(handle_);
  close(wake_fd_);
}

void MqttTestClient::watch_log() { mosquitto_log_callback_set(handle_, Callbacks::log); }

Status MqttTestClient::connect(int64_t deadline_ms) {
  WEIR_ASSERT(!thread_.joinable());
  mosquitto_property* properties = nullptr;
  if (options_.persistent && options_.version5) {
    mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, session_expiry_seconds);
  }
  const int result = mosquitto_connect_bind_v5(handle_, "127.0.0.1", options_.port, keepalive_seconds, nullptr, properties);
  mosquitto_property_free_all(&properties);
  if (result != MOSQ_ERR_SUCCESS) return {Code::Unavailable, "no broker there", result};
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, milliseconds(deadline_ms), [this] { return connected_.load(); })) return {};
  return {Code::Unavailable, "the broker did not answer"};
}

void MqttTestClient::stop() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void MqttTestClient::vanish() {
  vanishing_ = true;
  stop();
}

void MqttTestClient::wake() {
  if (wake_pending_.exchange(true)) return;
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);  // full only if it is already readable
}

void MqttTestClient::run() {
  while (!stopping_) {
    const int socket = mosquitto_socket(handle_);
    if (socket < 0 || !serve(socket)) reconnect();
  }
  const int socket = mosquitto_socket(handle_);
  if (vanishing_ && socket >= 0) shutdown(socket, SHUT_RDWR);
  if (vanishing_ || socket < 0) return;
  mosquitto_disconnect(handle_);
  while (mosquitto_socket(handle_) >= 0 && mosquitto_want_write(handle_)) {
    if (mosquitto_loop_write(handle_, 1) != MOSQ_ERR_SUCCESS) break;
  }
}

/// One turn of the loop; false once the connection is gone.
bool MqttTestClient::serve(int socket) {
  const short wanted = static_cast<short>(POLLIN | (mosquitto_want_write(handle_) ? POLLOUT : 0));
  pollfd fds[] = {{socket, wanted, 0}, {wake_fd_, POLLIN, 0}};
  poll(fds, 2, poll_ms);
  if ((fds[1].revents & POLLIN) != 0) {
    uint64_t count = 0;
    (void)!read(wake_fd_, &count, sizeof count);
    // After the read: whoever finds it still set has queued before what is looked for below.
    wake_pending_ = false;
  }
  if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    do {
      errno = 0;
      if (mosquitto_loop_read(handle_, 1) != MOSQ_ERR_SUCCESS) return false;
    } while (errno != EAGAIN && !stopping_);
  }
  if (mosquitto_want_write(handle_) && mosquitto_loop_write(handle_, 1) != MOSQ_ERR_SUCCESS) return false;
  return mosquitto_loop_misc(handle_) == MOSQ_ERR_SUCCESS;
}

void MqttTestClient::reconnect() {
  connected_ = false;
  sleep_ms(reconnect_pause_ms);
  if (!stopping_) mosquitto_reconnect(handle_);
}

Status MqttTestPublisher::publish(std::string_view topic, std::string_view payload, int qos, bool retain, int64_t deadline_ms) {
  {
    std::unique_lock lock(mutex_);
    const bool room = changed_.wait_for(lock, milliseconds(deadline_ms),
                                        [this] { return sent_ - acknowledged_ < options_.in_flight_max && connected(); });
    if (!room) return {Code::Unavailable, "the broker does not acknowledge"};
    ++sent_;
  }
  const std::string name(topic);
  const int result = mosquitto_publish_v5(handle(), nullptr, name.c_str(), static_cast<int>(payload.size()), payload.data(),
                                          qos, retain, nullptr);
  wake();
  // The library keeps what it could not send and sends it after it has reconnected.
  if (result == MOSQ_ERR_SUCCESS || result == MOSQ_ERR_NO_CONN) return {};
  const std::lock_guard lock(mutex_);
  --sent_;
  return {Code::InvalidArgument, "the library refuses this message", result};
}

void MqttTestPublisher::on_published(int) {
  const std::lock_guard lock(mutex_);
  ++acknowledged_;
  // Waking the sender once per half window instead of once per message doubles the rate.
  if (sent_ - acknowledged_ <= options_.in_flight_max / 2) changed_.notify_all();
}

bool MqttTestPublisher::drain(int64_t deadline_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, milliseconds(deadline_ms), [this] { return acknowledged_ == sent_; });
}

MqttSubscriber::MqttSubscriber(MqttClientOptions options) : MqttTestClient(std::move(options)) { watch_log(); }

Status MqttSubscriber::subscribe(const std::string& filter, int qos, int64_t deadline_ms) {
  std::unique_lock lock(mutex_);
  filters_.emplace_back(filter, qos);
  const uint64_t before = granted_;
  mosquitto_subscribe(handle(), nullptr, filter.c_str(), qos);
  wake();
  if (changed_.wait_for(lock, milliseconds(deadline_ms), [&] { return granted_ > before; })) return {};
  return {Code::Unavailable, "the broker did not answer"};
}

void MqttSubscriber::on_connected(bool session_present) {
  if (session_present) return;
  const std::lock_guard lock(mutex_);
  for (const auto& [filter, qos] : filters_) mosquitto_subscribe(handle(), nullptr, filter.c_str(), qos);
}

void MqttSubscriber::on_subscribed() {
  const std::lock_guard lock(mutex_);
  ++granted_;
  changed_.notify_all();
}

void MqttSubscriber::on_log(const char* text) {
  // The library's message structure has no DUP flag; the line that it logs before handing the message over has.
  const char* found = strstr(text, "received PUBLISH (d");
  if (found != nullptr) next_is_dup_ = found[strlen("received PUBLISH (d")] == '1';
}

void MqttSubscriber::on_message(const mosquitto_message& message, const mqtt5__property* properties) {
  ReceivedMessage received;
  received.topic = message.topic;
  received.payload.assign(static_cast<const char*>(message.payload), static_cast<size_t>(message.payloadlen));
  received.weir_id = user_property(properties, "weir-id");
  received.qos = message.qos;
  received.retained = message.retain;
  received.dup = next_is_dup_;
  next_is_dup_ = false;
  if (handler_) return handler_(received);
  const std::lock_guard lock(mutex_);
  distinct_.insert(received.topic + "\n" + received.payload);
  messages_.push_back(std::move(received));
  changed_.notify_all();
}

size_t MqttSubscriber::count() {
  const std::lock_guard lock(mutex_);
  return messages_.size();
}

bool MqttSubscriber::wait_for_count(size_t count, int64_t deadline_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, milliseconds(deadline_ms), [&] { return messages_.size() >= count; });
}

size_t MqttSubscriber::distinct() {
  const std::lock_guard lock(mutex_);
  return distinct_.size();
}

bool MqttSubscriber::wait_for_distinct(size_t count, int64_t deadline_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, milliseconds(deadline_ms), [&] { return distinct_.size() >= count; });
}

std::vector<ReceivedMessage> MqttSubscriber::messages() {
  const std::lock_guard lock(mutex_);
  return messages_;
}

Status take_over_session(uint16_t port, const std::string& client_id, bool version5) {
  // Written by hand: the library would acknowledge what the broker resends to the thief, and that would be a real loss.
  std::string body("\0\4MQTT", 6);
  body += version5 ? '\5' : '\4';
  body += std::string("\0\0\74", 3);                           // no clean start; keepalive 60 s
  if (version5) body += std::string("\5\x11\0\0\x0e\x10", 6);  // session expiry 3600 s
  body += std::string{'\0', static_cast<char>(client_id.size())} + client_id;
  const std::string packet = std::string{'\x10', static_cast<char>(body.size())} + body;
  const int fd = connect_to_port(port);
  if (fd < 0) return {Code::Unavailable, "no broker there"};
  char answer[4] = {};
  const bool done = send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size()) &&
                    recv(fd, answer, sizeof answer, MSG_WAITALL) == static_cast<ssize_t>(sizeof answer);
  close(fd);
  if (done && answer[0] == '\x20') return {};
  return {Code::Refused, "the broker did not accept the client"};
}

}  // namespace weir
