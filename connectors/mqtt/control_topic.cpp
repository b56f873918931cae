#include "connectors/mqtt/control_topic.h"

#include <algorithm>

#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int reads_per_turn = 16;

MqttOptions client_options(const ControlTopicSpec& spec) {
  MqttOptions options;
  options.client_id = spec.client_id;
  options.username = spec.username;
  options.password = spec.password;
  options.version_5 = spec.version_5;
  options.clean_start = true;
  options.receive_maximum = 4;
  options.max_packet_size = 4096;
  options.keepalive_ms = spec.keepalive_ms;
  return options;
}

}  // namespace

ControlTopic::ControlTopic(const ControlTopicSpec& spec, Arena& arena)
    : spec_(spec),
      answer_topic_(spec.topic + "/answer"),
      client_(client_options(spec), *this),
      connector_(client_, *this, spec.host, spec.port),
      line_(arena.take<char>(line_max, "control.topic", "one command and one answer at a time")),
      answer_(arena.take<char>(answer_max, "control.topic", "one command and one answer at a time")) {}

Status ControlTopic::start(Poller& poller, ControlTopicHandler& handler, Now now) {
  handler_ = &handler;
  now_ = now;
  return connector_.start(poller, now);
}

void ControlTopic::on_connack(const Connack& connack) {
  if (!connack.accepted) return;
  connector_.established(now_);
  uint16_t mid = 0;
  if (Status status = client_.subscribe(spec_.topic.c_str(), 1, RetainHandling::Never, mid); !status.ok())
    log(LogLevel::Warning, "control topic: cannot subscribe to %s: %s", spec_.topic.c_str(), status.text());
}

void ControlTopic::on_subscribed(uint16_t, int granted_qos) {
  subscribed_ = granted_qos < 0x80;
  if (!subscribed_) log(LogLevel::Warning, "control topic: the broker refuses %s", spec_.topic.c_str());
}

void ControlTopic::on_arrival(const Arrival& arrival) {
  if (arrival.retained) return;
  if (arrived_ || waiting_ || arrival.payload.size() > line_.size()) {
    refused_ = true;
    return;
  }
  const std::string_view text = as_text(arrival.payload);
  std::ranges::copy(text, line_.begin());
  line_size_ = text.size();
  arrived_ = true;
}

void ControlTopic::on_socket(uint32_t events, Now now) {
  now_ = now;
  bool alive = true;
  if ((events & (poll_in | poll_error)) != 0) {
    for (int count = 0; alive && count < reads_per_turn; ++count) {
      const ReadResult result = client_.read_one();
      if (result == ReadResult::Drained) break;
      alive = result != ReadResult::Lost;
    }
  }
  if (!alive) connector_.lost(now_);
  take();
  settle();
}

/// Outside of the library's callbacks: the handler may take its time.
void ControlTopic::take() {
  if (refused_) publish("error: busy, or the command is too long\n");
  refused_ = false;
  if (!arrived_) return;
  arrived_ = false;
  waiting_ = true;
  std::string_view line(line_.data(), line_size_);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  answer_.clear();
  handler_->on_control(line, answer_, now_);
}

void ControlTopic::answer(Now now) {
  if (!waiting_) return;
  now_ = now;
  waiting_ = false;
  publish(answer_.text());
  settle();
}

/// Lost with the connection: whoever asked asks again.
void ControlTopic::publish(std::string_view text) {
  uint16_t mid = 0;
  if (connector_.is_established()) (void)client_.publish(answer_topic_.c_str(), as_bytes(text), 0, false, nullptr, mid);
}

void ControlTopic::settle() {
  if (!connector_.has_socket()) return;
  if (client_.wants_write() && !client_.write()) return connector_.lost(now_);
  connector_.want(client_.wants_write() ? poll_in | poll_out : poll_in);
}

void ControlTopic::on_tick(Now now) {
  now_ = now;
  connector_.on_tick(now);
  if (connector_.has_socket() && !client_.check_keepalive()) connector_.lost(now_);
  settle();
}

}  // namespace weir
