#include "connectors/mqtt/mqtt_publisher.h"

#include <algorithm>
#include <cstring>

#include "agent/base/text_writer.h"

namespace weir {
namespace {

constexpr int reads_per_turn = 256;
constexpr int64_t retry_ms = 5000;
constexpr int64_t goodbye_ms = 1000;
constexpr int refused_from = 0x80;
constexpr int quota_exceeded = 0x97;
// Fixed header, lengths, packet id and the user property, generously.
constexpr size_t packet_overhead = 80;

}  // namespace

MqttOptions MqttPublisher::client_options(const MqttPublisherSpec& spec) {
  MqttOptions options;
  options.client_id = spec.client_id + "-out";
  options.username = spec.username;
  options.password = spec.password;
  options.version_5 = spec.version_5;
  options.clean_start = true;
  options.send_maximum = in_flight_max;
  options.keepalive_ms = spec.keepalive_ms;
  return options;
}

MqttPublisher::MqttPublisher(const MqttPublisherSpec& spec, Arena& arena)
    : spec_(spec),
      client_(client_options(spec), *this),
      connector_(client_, *this, spec.host, spec.port),
      slots_(arena.take<Slot>(in_flight_max, spec.name + ".sink.in-flight", "100 rows published and not yet acknowledged")),
      keeps_rows_(spec.version_5 && spec.qos > 0) {
  size_t rows = keeps_rows_ ? in_flight_max : 1;
  rows_ =
      arena.take<char>(rows * (spec.row_bytes_max + 1), spec.name + ".sink.rows",
                       std::to_string(rows) + " x " + std::to_string(spec.row_bytes_max + 1) + " bytes of topic and payload");
}

// ---- life

Status MqttPublisher::start(Poller& poller, PublisherHandler& handler, Now now) {
  handler_ = &handler;
  now_ = now;
  return connector_.start(poller, now);
}

void MqttPublisher::stop(Now now, int64_t deadline_boot_ms) {
  now_ = now;
  stopping_ = true;
  stop_deadline_boot_ms_ = deadline_boot_ms;
  settle();
}

void MqttPublisher::on_tick(Now now) {
  now_ = now;
  if (connector_.closed()) return;
  connector_.on_tick(now);
  if (connector_.has_socket() && !client_.check_keepalive()) on_lost();
  if (stopping_ && now.boot_ms >= stop_deadline_boot_ms_ + goodbye_ms) connector_.close();
  settle();
}

PublisherStatus MqttPublisher::status() const {
  PublisherStatus status;
  status.connected = connector_.is_established();
  status.published = published_;
  status.in_flight = used_;
  status.connects = connector_.connects();
  status.error = connector_.error();
  status.link = connector_.link();
  return status;
}

// ---- rows

void MqttPublisher::publish(const OutboxRow& row, uint32_t ticket, Now now) {
  WEIR_ASSERT(ready());
  now_ = now;
  size_t slot = 0;
  while (slots_[slot].state != State::Free) ++slot;
  ++used_;
  slots_[slot] = {};
  slots_[slot].ticket = ticket;
  slots_[slot].id = row.id;
  if (keep(slot, row)) send(slot);
  // The socket is writable when the poller looks next: everything published until then goes in one write.
  if (!busy_) connector_.want(poll_in | poll_out);
}

std::span<char> MqttPublisher::room_of(size_t slot) {
  size_t bytes = spec_.row_bytes_max + 1;
  return rows_.subspan(keeps_rows_ ? slot * bytes : 0, bytes);
}

/// Copies the row, its topic with a closing zero.
bool MqttPublisher::keep(size_t slot, const OutboxRow& row) {
  std::span<char> room = room_of(slot);
  if (row.topic.size() + row.payload.size() + 1 > room.size()) {
    refuse(slot, "the row is larger than the sink's limit");
    return false;
  }
  if (row.topic.find('\0') != std::string_view::npos) {
    refuse(slot, "the topic contains a zero byte");
    return false;
  }
  slots_[slot].topic_bytes = static_cast<uint32_t>(row.topic.size());
  slots_[slot].payload_bytes = static_cast<uint32_t>(row.payload.size());
  std::copy(row.topic.begin(), row.topic.end(), room.begin());
  room[row.topic.size()] = '\0';
  if (!row.payload.empty()) memcpy(room.data() + row.topic.size() + 1, row.payload.data(), row.payload.size());
  return true;
}

size_t MqttPublisher::packet_bytes(const Slot& slot) const {
  return size_t{slot.topic_bytes} + slot.payload_bytes + packet_overhead;
}

void MqttPublisher::send(size_t index) {
  Slot& slot = slots_[index];
  if (packet_bytes_max_ > 0 && packet_bytes(slot) > packet_bytes_max_) {
    refuse(index, "the row is larger than what the broker accepts");
    return;
  }
  char hex[33];
  TextWriter id({hex, 32});
  id.append_hex(slot.id.high).append_hex(slot.id.low);
  hex[32] = '\0';
  std::span<char> room = room_of(index);
  Bytes payload{reinterpret_cast<const uint8_t*>(room.data()) + slot.topic_bytes + 1, slot.payload_bytes};
  Status status = client_.publish(room.data(), payload, spec_.qos, spec_.retain, hex, slot.mid);
  slot.state = State::InFlight;
  // At QoS 0 a connection that has just gone is no reason to refuse the row: on_lost() answers it like the others.
  if (!status.ok() && status.code() != Code::Unavailable) refuse(index, status.text());
}

void MqttPublisher::refuse(size_t slot, const char* reason) {
  slots_[slot].state = State::Refused;
  slots_[slot].reason = reason;
}

/// Frees the slot before the handler hears of it, for it may publish at once.
uint32_t MqttPublisher::release(size_t slot) {
  slots_[slot].state = State::Free;
  --used_;
  room_ = true;
  return slots_[slot].ticket;
}

void MqttPublisher::confirm(size_t slot) {
  ++published_;
  handler_->on_published(release(slot), now_);
}

void MqttPublisher::on_published(uint16_t mid, int reason_code) {
  auto found = std::find_if(slots_.begin(), slots_.end(),
                            [mid](const Slot& slot) { return slot.state == State::InFlight && slot.mid == mid; });
  if (found == slots_.end()) return;
  auto index = static_cast<size_t>(found - slots_.begin());
  if (reason_code < refused_from) {
    confirm(index);
  } else if (reason_code == quota_exceeded && keeps_rows_) {
    found->state = State::Delayed;
    found->retry_boot_ms = now_.boot_ms + retry_ms;
  } else {
    refuse(index, mqtt_reason_text(reason_code));
  }
}

void MqttPublisher::answer_refused() {
  for (size_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].state != State::Refused) continue;
    const char* reason = slots_[index].reason;
    handler_->on_rejected(release(index), reason, now_);
  }
}

void MqttPublisher::retry_delayed() {
  if (!connector_.is_established()) return;
  for (size_t index = 0; index < slots_.size(); ++index)
    if (slots_[index].state == State::Delayed && now_.boot_ms >= slots_[index].retry_boot_ms) send(index);
}

// ---- the socket

void MqttPublisher::on_connack(const Connack& connack) {
  if (!connack.accepted) return;
  packet_bytes_max_ = connack.max_packet_size;
  connector_.established(now_);
  room_ = true;
}

void MqttPublisher::on_socket(uint32_t events, Now now) {
  now_ = now;
  busy_ = true;
  bool alive = (events & (poll_in | poll_error)) == 0 || read();
  busy_ = false;
  if (!alive) on_lost();
  settle();
}

bool MqttPublisher::read() {
  for (int count = 0; count < reads_per_turn; ++count) {
    ReadResult result = client_.read_one();
    if (result == ReadResult::Lost) return false;
    if (result == ReadResult::Drained) break;
  }
  return true;
}

void MqttPublisher::settle() {
  if (busy_ || connector_.closed()) return;
  busy_ = true;
  answer_refused();
  retry_delayed();
  if (room_ && ready()) {
    room_ = false;
    handler_->on_publisher_ready(now_);
  }
  bool alive = true;
  if (stopping_) say_goodbye();
  if (connector_.has_socket() && client_.wants_write()) alive = client_.write();
  busy_ = false;
  if (!alive) on_lost();
  bool more = client_.wants_write() ||
              std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == State::Refused; });
  connector_.want(more ? poll_in | poll_out : poll_in);
}

void MqttPublisher::say_goodbye() {
  if (!connector_.is_established()) {
    connector_.close();
  } else if (!goodbye_said_ && (used_ == 0 || now_.boot_ms >= stop_deadline_boot_ms_)) {
    client_.disconnect();
    goodbye_said_ = true;
  }
}

void MqttPublisher::on_lost() {
  if (stopping_) {
    connector_.close();
    return;
  }
  connector_.lost(now_);
  if (spec_.qos > 0) return;
  for (size_t index = 0; index < slots_.size(); ++index)
    if (slots_[index].state == State::InFlight) confirm(index);
}

}  // namespace weir
