#include "connectors/mqtt/mqtt_client.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "agent/base/assert.h"
#include "agent/base/heap_guard.h"

namespace weir {
namespace {

constexpr int keepalive_min_s = 5;  // the library refuses less
constexpr int keepalive_max_s = UINT16_MAX;

void init_library_once() {
  static const int code = mosquitto_lib_init();
  WEIR_ASSERT(code == MOSQ_ERR_SUCCESS);
}

int keepalive_s(int64_t ms) {
  return static_cast<int>(std::clamp<int64_t>((ms + 999) / 1000, keepalive_min_s, keepalive_max_s));
}

void set_cork(int fd, int on) {
  // Only a matter of speed: without it every acknowledgement is a segment of its own.
  (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

Status status_of(int code, int error_number) {
  if (code == MOSQ_ERR_SUCCESS) return {};
  const char* text = mqtt_error_text(code, error_number);
  switch (code) {
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
      return Status(Code::InvalidArgument, text, code);
    case MOSQ_ERR_PROTOCOL:
      return Status(Code::Protocol, text, code);
    case MOSQ_ERR_NOMEM:
      return Status(Code::Full, text, code);
    default:
      return Status(Code::Unavailable, text, code);
  }
}

}  // namespace

/// The library's side of the listener. Each ends with errno = 0: the library decides by errno whether its socket is drained,
/// and our code may have left something there (a write to its own wake-up pipe does, once that is full).
struct MqttClient::Callbacks {
  static MqttClient& self(void* object) { return *static_cast<MqttClient*>(object); }

  static void on_connect(mosquitto*, void* object, int reason, int flags, const mosquitto_property* properties) {
    HeapScope scope(HeapOwner::Weir);
    MqttClient& client = self(object);
    if (reason != 0) {
      client.error_ = client.version_5() ? mqtt_reason_text(reason) : mosquitto_connack_string(reason);
      client.explained_ = true;
    }
    Connack connack{reason == 0, (flags & 1) != 0, 0};
    mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &connack.max_packet_size, false);
    client.listener_.on_connack(connack);
    errno = 0;
  }

  static void on_disconnect(mosquitto*, void* object, int code, const mosquitto_property*) {
    HeapScope scope(HeapOwner::Weir);
    MqttClient& client = self(object);
    // From 0x80 on it is the reason that a v5 broker gave in its DISCONNECT; below, a code of the library.
    if (code >= MQTT_RC_UNSPECIFIED) {
      client.error_ = mqtt_reason_text(code);
      client.explained_ = true;
      if (code == MQTT_RC_SESSION_TAKEN_OVER) client.ending_ = Ending::TakenOver;
    } else {
      client.note_failure(code, errno);
    }
    errno = 0;
  }

  static void on_message(mosquitto*, void* object, const mosquitto_message* message) {
    HeapScope scope(HeapOwner::Weir);
    MqttClient& client = self(object);
    Arrival arrival;
    arrival.topic = message->topic;
    arrival.payload = {static_cast<const uint8_t*>(message->payload), static_cast<size_t>(message->payloadlen)};
    arrival.mid = static_cast<uint16_t>(message->mid);
    arrival.qos = static_cast<uint8_t>(message->qos);
    arrival.retained = message->retain;
    if (client.dup_mid_ == arrival.mid) arrival.dup = client.dup_;
    client.dup_ = Dup::Unknown;
    client.listener_.on_arrival(arrival);
    errno = 0;
  }

  static void on_publish(mosquitto*, void* object, int mid, int reason, const mosquitto_property*) {
    HeapScope scope(HeapOwner::Weir);
    self(object).listener_.on_published(static_cast<uint16_t>(mid), reason);
    errno = 0;
  }

  static void on_subscribe(mosquitto*, void* object, int mid, int count, const int* granted, const mosquitto_property*) {
    HeapScope scope(HeapOwner::Weir);
    for (int index = 0; index < count; ++index)
      self(object).listener_.on_subscribed(static_cast<uint16_t>(mid), granted[index]);
    errno = 0;
  }

  static void on_log(mosquitto*, void* object, int, const char* line) {
    HeapScope scope(HeapOwner::Weir);
    MqttClient& client = self(object);
    PublishLine parsed = parse_publish_line(line, client.options_.client_id);
    // Other lines come in between: the library says that it queues the acknowledgement before it hands over the message.
    if (parsed.dup == Dup::Unknown) return;
    client.dup_ = parsed.dup;
    client.dup_mid_ = parsed.mid;
  }
};

MqttClient::MqttClient(const MqttOptions& options, MqttListener& listener) : options_(options), listener_(listener) {
  HeapScope scope(HeapOwner::Mosquitto);
  init_library_once();
  handle_ = mosquitto_new(options_.client_id.c_str(), options_.clean_start, this);
  WEIR_ASSERT(handle_ != nullptr);
  set_up_handle();
  if (options_.version_5) store_connect_properties();
}

MqttClient::~MqttClient() {
  HeapScope scope(HeapOwner::Mosquitto);
  mosquitto_destroy(handle_);
}

void MqttClient::set_up_handle() {
  WEIR_ASSERT(mosquitto_socket(handle_) < 0);  // threaded_set counts only before the first connection
  WEIR_ASSERT(mosquitto_threaded_set(handle_, true) == MOSQ_ERR_SUCCESS);
  int version = options_.version_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311;
  WEIR_ASSERT(mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, version) == MOSQ_ERR_SUCCESS);
  WEIR_ASSERT(mosquitto_int_option(handle_, MOSQ_OPT_RECEIVE_MAXIMUM, options_.receive_maximum) == MOSQ_ERR_SUCCESS);
  WEIR_ASSERT(mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, options_.send_maximum) == MOSQ_ERR_SUCCESS);
  WEIR_ASSERT(mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1) == MOSQ_ERR_SUCCESS);
  if (!options_.username.empty())
    WEIR_ASSERT(mosquitto_username_pw_set(handle_, options_.username.c_str(),
                                          options_.password.empty() ? nullptr : options_.password.c_str()) == MOSQ_ERR_SUCCESS);
  mosquitto_connect_v5_callback_set(handle_, Callbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(handle_, Callbacks::on_disconnect);
  mosquitto_message_callback_set(handle_, Callbacks::on_message);
  mosquitto_publish_v5_callback_set(handle_, Callbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(handle_, Callbacks::on_subscribe);
}

/// Only the blocking mosquitto_connect_bind_v5 takes properties, and it keeps them in the handle for every later connection.
/// It is called once for that, with a host that it refuses before it touches the network (an empty path of a Unix socket).
void MqttClient::store_connect_properties() {
  mosquitto_property* properties = nullptr;
  auto seconds = static_cast<uint32_t>(std::clamp<int64_t>(options_.session_expiry_ms / 1000, 0, UINT32_MAX));
  if (seconds > 0)
    WEIR_ASSERT(mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, seconds) == MOSQ_ERR_SUCCESS);
  auto packet = static_cast<uint32_t>(std::min<uint64_t>(options_.max_packet_size, UINT32_MAX));
  if (packet > 0)
    WEIR_ASSERT(mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, packet) == MOSQ_ERR_SUCCESS);
  int code = mosquitto_connect_bind_v5(handle_, "", 0, keepalive_s(options_.keepalive_ms), nullptr, properties);
  WEIR_ASSERT(code != MOSQ_ERR_SUCCESS);
  mosquitto_property_free_all(&properties);
}

Status MqttClient::connect(const char* address, uint16_t port) {
  HeapScope scope(HeapOwner::Mosquitto);
  dropped_ = explained_ = disconnecting_ = false;
  ending_ = Ending::Other;
  dup_ = Dup::Unknown;
  errno = 0;
  int code = mosquitto_connect_bind_async(handle_, address, port, keepalive_s(options_.keepalive_ms), nullptr);
  int error_number = errno;
  error_ = "the connection broke";  // until someone knows better
  if (code == MOSQ_ERR_SUCCESS && mosquitto_socket(handle_) >= 0) return {};
  note_failure(code, error_number);
  return Status(Code::Unavailable, error_, code);
}

int MqttClient::fd() const { return dropped_ ? -1 : mosquitto_socket(handle_); }

ReadResult MqttClient::read_one() {
  if (fd() < 0) return ReadResult::Lost;
  HeapScope scope(HeapOwner::Mosquitto);
  errno = 0;
  int code = mosquitto_loop_read(handle_, 1);
  int error_number = errno;
  if (code != MOSQ_ERR_SUCCESS) note_failure(code, error_number);
  if (code != MOSQ_ERR_SUCCESS || fd() < 0) return ReadResult::Lost;
  return error_number == EAGAIN ? ReadResult::Drained : ReadResult::Packet;
}

bool MqttClient::write() {
  int socket = fd();
  if (socket < 0) return false;
  HeapScope scope(HeapOwner::Mosquitto);
  // The library closes the socket after its DISCONNECT; what a cork still held back then would be lost.
  if (!disconnecting_) set_cork(socket, 1);
  errno = 0;
  int code = mosquitto_loop_write(handle_, 1);
  int error_number = errno;
  if (code != MOSQ_ERR_SUCCESS) note_failure(code, error_number);
  if (fd() < 0) return false;
  if (!disconnecting_) set_cork(socket, 0);
  return code == MOSQ_ERR_SUCCESS;
}

bool MqttClient::wants_write() const { return fd() >= 0 && mosquitto_want_write(handle_); }

bool MqttClient::check_keepalive() {
  if (fd() < 0) return false;
  HeapScope scope(HeapOwner::Mosquitto);
  int code = mosquitto_loop_misc(handle_);
  if (code != MOSQ_ERR_SUCCESS) note_failure(code, errno);
  return code == MOSQ_ERR_SUCCESS && fd() >= 0;
}

void MqttClient::drop() {
  int socket = fd();
  if (socket < 0) return;
  // The library has no call that closes without sending; its own descriptor goes with the next connect().
  (void)shutdown(socket, SHUT_RDWR);
  dropped_ = true;
}

void MqttClient::disconnect() {
  if (fd() < 0) return;
  HeapScope scope(HeapOwner::Mosquitto);
  disconnecting_ = true;
  (void)mosquitto_disconnect(handle_);
}

void MqttClient::observe_dup(bool on) {
  HeapScope scope(HeapOwner::Mosquitto);
  mosquitto_log_callback_set(handle_, on ? Callbacks::on_log : nullptr);
}

Status MqttClient::subscribe(const char* filter, uint8_t qos, RetainHandling retain, uint16_t& mid) {
  HeapScope scope(HeapOwner::Mosquitto);
  constexpr int options_of[] = {MQTT_SUB_OPT_SEND_RETAIN_NEW, MQTT_SUB_OPT_SEND_RETAIN_NEVER, MQTT_SUB_OPT_SEND_RETAIN_ALWAYS};
  int options = options_of[static_cast<size_t>(retain)];
  int local_mid = 0;
  int code = mosquitto_subscribe_v5(handle_, &local_mid, filter, qos, options_.version_5 ? options : 0, nullptr);
  mid = static_cast<uint16_t>(local_mid);
  return status_of(code, errno);
}

Status MqttClient::unsubscribe(const char* filter) {
  HeapScope scope(HeapOwner::Mosquitto);
  return status_of(mosquitto_unsubscribe(handle_, nullptr, filter), errno);
}

Status MqttClient::publish(const char* topic, Bytes payload, uint8_t qos, bool retain, const char* weir_id, uint16_t& mid) {
  HeapScope scope(HeapOwner::Mosquitto);
  mosquitto_property* properties = nullptr;
  if (weir_id != nullptr && options_.version_5) {
    int added = mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "weir-id", weir_id);
    if (added != MOSQ_ERR_SUCCESS) return status_of(added, errno);
  }
  int local_mid = 0;
  int code = mosquitto_publish_v5(handle_, &local_mid, topic, static_cast<int>(payload.size()), payload.data(), qos, retain,
                                  properties);
  mosquitto_property_free_all(&properties);
  mid = static_cast<uint16_t>(local_mid);
  // At QoS 1 a message counts as taken also without a connection: the library queues it and sends it after the next one.
  // Handing it over again would make a duplicate.
  if (code == MOSQ_ERR_NO_CONN && qos > 0) return {};
  return status_of(code, errno);
}

void MqttClient::note_failure(int code, int error_number) {
  if (explained_) return;
  error_ = mqtt_error_text(code, error_number);
  if (code == MOSQ_ERR_CONN_LOST) ending_ = Ending::Closed;
  explained_ = true;
}

PublishLine parse_publish_line(std::string_view line, std::string_view client_id) {
  auto skip = [&line](std::string_view expected) {
    if (!line.starts_with(expected)) return false;
    line.remove_prefix(expected.size());
    return true;
  };
  auto number = [&line](unsigned& value) {
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc()) return false;
    line.remove_prefix(static_cast<size_t>(end - line.data()));
    return true;
  };
  unsigned dup = 0;
  unsigned qos = 0;
  unsigned retain = 0;
  unsigned mid = 0;
  bool known = skip("Client ") && skip(client_id) && skip(" received PUBLISH (d") && number(dup) && skip(", q") &&
               number(qos) && skip(", r") && number(retain) && skip(", m") && number(mid) && skip(", '");
  if (!known || dup > 1 || mid > UINT16_MAX) return {};
  return {dup == 1 ? Dup::Yes : Dup::No, static_cast<uint16_t>(mid)};
}

const char* mqtt_error_text(int code, int error_number) {
  switch (code) {
    case MOSQ_ERR_SUCCESS:
      return "the connection was closed";
    case MOSQ_ERR_ERRNO: {
      const char* text = strerrordesc_np(error_number);
      return text != nullptr ? text : "the system reported an unknown error";
    }
    case MOSQ_ERR_INVAL:
      return "not a valid topic or address";
    case MOSQ_ERR_EAI:
      return "the address is not a valid one";
    case MOSQ_ERR_KEEPALIVE:
      return "the broker did not answer within the keepalive";
    case MOSQ_ERR_CONN_LOST:
      return "the broker closed the connection";
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
      return "the broker broke the protocol";
    default:
      return mosquitto_strerror(code);
  }
}

const char* mqtt_reason_text(int reason_code) { return mosquitto_reason_string(reason_code); }

}  // namespace weir
