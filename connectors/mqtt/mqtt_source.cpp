#include "connectors/mqtt/mqtt_source.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "agent/base/crash_point.h"
#include "agent/base/hash.h"
#include "agent/base/log.h"
#include "agent/base/text_writer.h"

namespace weir {
namespace {

constexpr int64_t stall_ms = 5000;
constexpr int64_t goodbye_ms = 2000;
constexpr int refused_from = 0x80;

/// Twice the window: brokers exist that do not keep to it while a backlog drains.
uint32_t pending_max(const MqttSourceSpec& spec) {
  return std::clamp<uint32_t>(2 * std::min(spec.max_unacked, session_tail_pending_max), 1024, session_tail_pending_max);
}

size_t encoded_filters_bytes(const MqttSourceSpec& spec) {
  size_t bytes = 0;
  for (const std::string& topic : spec.topics) bytes += FilterList::encoded_bytes(topic);
  return bytes;
}

/// The list of an earlier configuration must fit too, for its filters are unsubscribed one by one.
size_t subscribed_room(const MqttSourceSpec& spec) { return std::max<size_t>(4096, 2 * encoded_filters_bytes(spec)); }

}  // namespace

MqttOptions MqttSource::client_options(const MqttSourceSpec& spec) {
  MqttOptions options;
  options.client_id = spec.client_id;
  options.username = spec.username;
  options.password = spec.password;
  options.version_5 = spec.version_5;
  options.clean_start = false;
  options.session_expiry_ms = spec.session_expiry_ms;
  options.receive_maximum = static_cast<uint16_t>(std::clamp<uint32_t>(spec.max_unacked, 1, UINT16_MAX));
  options.max_packet_size = spec.max_packet_size;
  options.keepalive_ms = std::max(spec.keepalive_ms, spec.keepalive_min_ms);
  return options;
}

MqttSource::MqttSource(const MqttSourceSpec& spec, Arena& arena, std::unique_ptr<Journal> journal)
    : spec_(spec),
      client_(client_options(spec), *this),
      connector_(client_, *this, spec.host, spec.port),
      tail_(arena, spec.name + ".source.session-tail", pending_max(spec), journal != nullptr),
      drops_(spec.watch_drops, spec.topics),
      shedding_(spec.shed),
      payload_(arena.take<uint8_t>(spec.max_message + payload_padding, spec.name + ".source.payload",
                                   std::to_string(spec.max_message) + " bytes of max_message and padding")) {
  const std::string pool = spec.name + ".source.filters";
  constexpr const char* reason = "topic filters, as configured and as subscribed";
  filters_ = FilterList(arena.take<uint8_t>(encoded_filters_bytes(spec), pool, reason));
  subscribed_ = FilterList(arena.take<uint8_t>(subscribed_room(spec), pool, reason));
  subscribe_mids_ = arena.take<uint16_t>(spec.topics.size(), pool, reason);
  granted_ = arena.take<bool>(spec.topics.size(), pool, reason);
  for (const std::string& topic : spec.topics) WEIR_ASSERT(filters_.add(topic, spec.qos));
  JournalingOwner& owner = *this;
  if (journal != nullptr) journaling_ = std::make_unique<Journaling>(std::move(journal), spec.journaling, owner);
}

// ---- life

Status MqttSource::start(Poller& poller, SourceHandler& handler, Now now) {
  handler_ = &handler;
  waits_for_clock_ = spec_.waits_for_clock;
  look_at(now);
  WEIR_TRY(connector_.start(poller, now));
  if (journaling_) journaling_->start(now);
  return {};
}

void MqttSource::stop(Now now) {
  now_ = now;
  stopping_ = true;
  stop_boot_ms_ = now.boot_ms;
  settle();
}

void MqttSource::resume(Now now) {
  now_ = now;
  if (journaling_) journaling_->resume(now);
  settle();
}

void MqttSource::abandon(Now now) {
  now_ = now;
  leave("the checkpoint does not succeed");
}

/// Once it was synchronised the clock is not waited for any more: whoever loses contact to the time goes on with what it has.
void MqttSource::look_at(Now now) {
  now_ = now;
  if (!waits_for_clock_ || now.unsynchronised) return;
  waits_for_clock_ = false;
}

void MqttSource::on_tick(Now now) {
  look_at(now);
  if (connector_.closed()) return;
  connector_.on_tick(now);
  if (connector_.has_socket() && !client_.check_keepalive()) on_lost();
  watch_load();
  check_stall();
  if (stopping_ && !in_barrier_ && now.boot_ms - stop_boot_ms_ >= goodbye_ms) connector_.close();
  settle();
}

SourceStatus MqttSource::status() const {
  SourceStatus status;
  status.connected = connector_.is_established();
  status.unacknowledged = journaling_ ? journaling_->pending() : tail_.pending();
  if (journaling_) status.journal = journaling_->status();
  status.connects = connector_.connects();
  status.offset = offset_;
  status.error = connector_.error();
  status.link = connector_.link();
  if (waits_for_clock_) status.error = "waits until the wall clock is synchronised";
  status.broker_dropped = drops_.dropped();
  status.shedding = shedding_.shows();
  if (status.connected && refused_subscription_) status.error = "the broker refused a subscription";
  return status;
}

// ---- the invariant

bool MqttSource::may_read() const {
  return !stopping_ && !in_barrier_ && !leave_due_ && !waits_for_clock_ && !tail_.full() &&
         (!journaling_ || journaling_->accepts()) && (handler_->ready() || sheds());
}

bool MqttSource::sheds() const { return shedding_.active(now_.boot_ms) && handler_->may_shed(); }

bool MqttSource::may_write() const {
#ifdef WEIR_MUTANT_ACK_BEFORE_COMMIT
  return true;
#else
  return !held_;
#endif
}

/// The library has thrown away what the previous connection had queued.
void MqttSource::on_connecting() {
  if (connack_awaited_) session_followed_ = false;
  connack_awaited_ = true;
  held_ = false;
  connack_arrived_ = subscribe_due_ = leave_due_ = false;
  tail_.close_window();
  client_.observe_dup(false);
}

// ---- the socket

void MqttSource::on_socket(uint32_t events, Now now) {
  now_ = now;
  read_in_one_go_ = 0;
  if ((events & (poll_in | poll_error)) != 0) {
    if (may_read()) {
      read();
    } else if ((events & poll_error) != 0) {
      // The connection is dead, and what it still holds may not be read now: the broker sends it again.
      on_lost();
    }
  }
  settle();
}

void MqttSource::read() {
  bool lost = false;
  reading_ = true;
  blocked_boot_ms_ = -1;
  for (; read_in_one_go_ < share_.reads() && !lost && may_read(); ++read_in_one_go_) {
    ReadResult result = client_.read_one();
    if (connack_arrived_) accept_session();
    if (result == ReadResult::Drained) {
      // With the window used up the broker may well have more.
      if (tail_.pending() < spec_.max_unacked) shedding_.on_drained(handler_->ready());
      break;
    }
    lost = result == ReadResult::Lost;
  }
  reading_ = false;
  if (read_in_one_go_ == share_.reads()) shedding_.on_behind(now_.boot_ms);
  if (lost) on_lost();
}

/// What may have become possible after something happened. Runs outside of the library's calls only.
void MqttSource::settle() {
  if (reading_ || connector_.closed()) return;
  if (leave_due_) leave(leave_why_);
  if (subscribe_due_ && connector_.is_established() && tail_.clear_is_durable()) subscribe();
  if (stopping_) say_goodbye();
  flush();
  update_events();
  connector_.go(now_);
}

void MqttSource::flush() {
  if (!connector_.has_socket() || !may_write() || !client_.wants_write()) return;
  crash_point("acknowledge.send");
  const bool sent = client_.write();
  crash_point("acknowledge.sent");
  if (!sent) on_lost();
}

void MqttSource::on_lost() {
  if (stopping_) {
    connector_.close();
  } else {
    connector_.lost(now_);
  }
}

void MqttSource::update_events() {
  if (!connector_.has_socket()) return;
  uint32_t events = may_read() ? poll_in : 0;
  if (may_write() && client_.wants_write()) events |= poll_out;
  connector_.want(events);
}

void MqttSource::check_stall() {
  if (!connector_.is_established() || stopping_ || may_read()) {
    blocked_boot_ms_ = -1;
  } else if (blocked_boot_ms_ < 0) {
    blocked_boot_ms_ = now_.boot_ms;
  } else if (now_.boot_ms - blocked_boot_ms_ >= stall_ms) {
    leave("messages could not be taken in for a while");
  }
}

void MqttSource::leave(const char* why) {
  leave_why_ = why;
  leave_due_ = reading_;
  if (reading_) return;
  blocked_boot_ms_ = -1;
  connector_.drop(why, now_);
}

/// The queue is first in, first out: the acknowledgements leave before the goodbye.
void MqttSource::say_goodbye() {
  if (!connector_.is_established()) {
    connector_.close();
  } else if (!held_ && !goodbye_said_) {
    client_.disconnect();
    goodbye_said_ = true;
  }
}

// ---- the session

void MqttSource::on_connack(const Connack& connack) {
  connack_ = connack;
  connack_arrived_ = true;
}

void MqttSource::accept_session() {
  connack_arrived_ = connack_awaited_ = false;
  if (!connack_.accepted) return;
  connector_.established(now_);
  bool expected = !had_session_;
  had_session_ = true;
  if (!connack_.session_present) {
    note_session_lost();
    subscribed_.clear();
  } else if (tail_.size() > 0) {
    tail_.open_window();
    client_.observe_dup(true);
  }
  subscribe_due_ = true;
  bool clear_pending = !tail_.clear_is_durable();
  if (waiting_for_clear_ || (connack_.session_present && !clear_pending)) return;
  waiting_for_clear_ = clear_pending;
  handler_->on_session_lost(expected, now_);
}

void MqttSource::subscribe() {
  subscribe_due_ = refused_subscription_ = false;
  subscribes_open_ = 0;
  subscribed_.for_each([this](std::string_view filter, uint8_t) {
    bool wanted = std::find(spec_.topics.begin(), spec_.topics.end(), filter) != spec_.topics.end();
    // If this fails, so does the connection, and the next one asks again.
    if (!wanted) (void)client_.unsubscribe(filter.data());
  });
  for (size_t index = 0; index < spec_.topics.size(); ++index) {
    granted_[index] = session_followed_ && subscribed_.contains(spec_.topics[index], spec_.qos);
    subscribe_mids_[index] = 0;
    if (!granted_[index]) subscribe_to(index);
  }
  if (drops_.enabled()) watch_drops();
  if (subscribes_open_ == 0) finish_subscribing();
}

/// Asked for on every connection, because the answer begins with the count as it stands. No answer is waited for: a broker
/// that has no such topic, or does not let us see it, is as good as before.
void MqttSource::watch_drops() {
  uint16_t mid = 0;
  (void)client_.subscribe(DropWatch::topic, 0, RetainHandling::Always, mid);
}

void MqttSource::observe_drops(const Arrival& arrival) {
  uint64_t before = drops_.dropped();
  if (!drops_.observe(arrival.payload, now_.boot_ms)) return;
  log(LogLevel::Warning,
      "%s: the broker says that it has dropped %llu messages; reconnecting, which brings back what was meant for us",
      spec_.name.c_str(), static_cast<unsigned long long>(drops_.dropped() - before));
  leave("the broker has dropped messages");
}

void MqttSource::subscribe_to(size_t index) {
  const std::string& topic = spec_.topics[index];
  RetainHandling retain = spec_.use_retained ? RetainHandling::SendIfNew : RetainHandling::Never;
  Status status = client_.subscribe(topic.c_str(), spec_.qos, retain, subscribe_mids_[index]);
  if (status.ok()) {
    ++subscribes_open_;
    return;
  }
  subscribe_mids_[index] = 0;
  refused_subscription_ = true;
  log(LogLevel::Error, "%s: cannot subscribe to %s: %s", spec_.name.c_str(), topic.c_str(), status.text());
}

void MqttSource::on_subscribed(uint16_t mid, int granted_qos) {
  auto found = std::find(subscribe_mids_.begin(), subscribe_mids_.end(), mid);
  if (mid == 0 || found == subscribe_mids_.end()) return;
  auto index = static_cast<size_t>(found - subscribe_mids_.begin());
  const char* topic = spec_.topics[index].c_str();
  *found = 0;
  granted_[index] = granted_qos < refused_from;
  if (!granted_[index]) {
    refused_subscription_ = true;
    log(LogLevel::Error, "%s: the broker refused the subscription to %s (%d)", spec_.name.c_str(), topic, granted_qos);
  } else if (granted_qos < spec_.qos) {
    log(LogLevel::Warning, "%s: the broker grants only QoS %d for %s: messages may be lost", spec_.name.c_str(), granted_qos,
        topic);
  }
  if (--subscribes_open_ == 0) finish_subscribing();
}

/// From here on a session that is present holds these; what was refused is asked for again after the next connection.
void MqttSource::finish_subscribing() {
  session_followed_ = true;
  subscribed_.clear();
  for (size_t index = 0; index < spec_.topics.size(); ++index)
    if (granted_[index]) WEIR_ASSERT(subscribed_.add(spec_.topics[index], spec_.qos));
}

// ---- deliveries

void MqttSource::on_arrival(const Arrival& arrival) {
  if (drops_.enabled() && arrival.topic == DropWatch::topic) {
    observe_drops(arrival);
    return;
  }
  if (!may_read()) {
    // One packet was read after asking, so the library has read several: it does that for a broker that sends QoS 2, which
    // was not subscribed to. The message was not taken in, so its acknowledgement must not leave.
    leave("the broker sent more than was asked for");
    return;
  }
  // A retained message that is skipped leaves no trace: it is not counted, and forgetting it in a crash does no harm.
  if (arrival.retained && !spec_.use_retained) return;
  if (arrival.qos == 0) {
    if (!shed_it()) hand_over(arrival, 0);
    return;
  }
  uint64_t hash = hash64(arrival.payload, hash64(as_bytes(arrival.topic)));
  if (is_redelivery(arrival, hash)) {
    // The delivery that it repeats may not be covered by a checkpoint yet.
    held_ = held_ || status().unacknowledged > 0;
    handler_->on_duplicate(now_);
    return;
  }
  tail_.record(arrival.mid, hash);
  held_ = true;
  if (!shed_it()) hand_over(arrival, hash);
}

/// Whether the message at hand is left out; then that is all that becomes of it.
bool MqttSource::shed_it() {
  if (shedding_.takes(handler_->ready(), now_.boot_ms)) return false;
  handler_->on_shed(now_);
  if (shedding_.begun())
    log(LogLevel::Warning, "%s: the pipeline has been behind its input for %lld ms: messages are shed from here on",
        spec_.name.c_str(), static_cast<long long>(spec_.shed.after_ms));
  return true;
}

/// Once a second: a pipeline without room is behind, and one that seems to be behind looks whether it still is.
void MqttSource::watch_load() {
  if (!shedding_.enabled() || stopping_) return;
  if (!handler_->ready() && handler_->may_shed()) shedding_.on_behind(now_.boot_ms);
  if (shedding_.behind() && may_read() && connector_.has_socket()) {
    read_in_one_go_ = 0;
    read();
  }
  if (shedding_.ended(now_.boot_ms))
    log(LogLevel::Notice, "%s: the pipeline keeps up with its input again; %llu messages were shed since the start",
        spec_.name.c_str(), static_cast<unsigned long long>(shedding_.count()));
}

/// The rule: while the window is open, DUP and a match in the tail mean that the message is known. The first delivery
/// without DUP closes the window, for the broker redelivers before it goes on.
bool MqttSource::is_redelivery(const Arrival& arrival, uint64_t hash) {
  if (!tail_.window_open()) return false;
  if (arrival.dup == Dup::No) {
    tail_.close_window();
    client_.observe_dup(false);
    return false;
  }
  if (arrival.dup == Dup::Unknown) {
    if (!warned_of_dup_)
      log(LogLevel::Warning, "%s: libmosquitto does not say which messages are redeliveries; some may be counted twice",
          spec_.name.c_str());
    warned_of_dup_ = true;
    return false;
  }
#ifdef WEIR_MUTANT_NO_REDELIVERY_RULE
  return false;
#else
  return tail_.match(arrival.mid, hash);
#endif
}

void MqttSource::hand_over(const Arrival& arrival, uint64_t hash) {
  JournalRecord record;
  record.qos = arrival.qos;
  record.retained = arrival.retained;
  record.packet_id = arrival.mid;
  record.arrival_ms = handler_->arrival_ms(now_);
  record.unsynchronised = now_.unsynchronised;
  record.offset = ++offset_;
  record.hash = hash;
  record.topic = arrival.topic.substr(0, topic_bytes_max);
  record.payload = arrival.payload.first(std::min(arrival.payload.size(), spec_.max_message));
  if (arrival.topic.size() > topic_bytes_max) {
    record.kind = JournalKind::TopicTooLong;
    record.full_bytes = arrival.topic.size();
  } else if (arrival.payload.size() > spec_.max_message) {
    record.kind = JournalKind::PayloadTooLong;
    record.full_bytes = arrival.payload.size();
  }
  if (journaling_) journaling_->append(record, now_);
  deliver(record);
}

/// Live and replayed messages go the same way from here.
void MqttSource::deliver(const JournalRecord& record) {
  Message message;
  message.topic = record.topic;
  message.payload = payload_.first(record.payload.size());
  if (!message.payload.empty()) memcpy(payload_.data(), record.payload.data(), message.payload.size());
  message.offset = record.offset;
  message.arrival_ms = record.arrival_ms;
  message.qos = record.qos;
  message.retained = record.retained;
  message.unsynchronised = record.unsynchronised;
  if (record.kind == JournalKind::TopicTooLong) {
    refuse(message, "topic-too-long", "topic", record.full_bytes, topic_bytes_max);
  } else if (record.kind == JournalKind::PayloadTooLong) {
    refuse(message, "too-large", "payload", record.full_bytes, spec_.max_message);
  } else {
    handler_->on_message(message, now_);
  }
}

void MqttSource::refuse(const Message& message, const char* reason, const char* what, uint64_t bytes, size_t limit) {
  char buffer[96];
  TextWriter detail(buffer);
  detail.printf("the %s has %" PRIu64 " bytes, the limit is %zu", what, bytes, limit);
  handler_->on_refused(message, reason, detail.text(), now_);
}

// ---- checkpoints

SnapshotBounds MqttSource::snapshot_bounds() const {
  SnapshotBounds bounds = tail_.snapshot_bounds();
  bounds.bytes += sizeof(uint64_t) + 2 * sizeof(uint32_t) + spec_.client_id.size() + subscribed_room(spec_);
  if (journaling_) bounds.bytes += Journaling::encoded_bytes_max;
  bounds.blobs += 1;
  return bounds;
}

/// The Operator blob: { uint64 offset, sized client id, sized list of the filters that the broker's session holds }, and with a
/// journal what Journaling::encode says.
void MqttSource::snapshot(Snapshot& snapshot) {
  in_barrier_ = true;
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(offset_);
  out.put_sized(spec_.client_id);
  out.put_sized(subscribed_.bytes());
  if (journaling_) journaling_->encode(out, stopping_);
  snapshot.close();
  tail_.snapshot(snapshot, op());
  if (!reading_) update_events();
}

void MqttSource::snapshot_done(uint64_t checkpoint_id, bool committed) {
  in_barrier_ = false;
  if (journaling_) journaling_->snapshot_done(checkpoint_id, committed);
  tail_.snapshot_done(committed);
  // Nothing was read since the barrier, so whatever is queued is covered now.
  if (committed) held_ = false;
  if (tail_.clear_is_durable()) waiting_for_clear_ = false;
  if (stopping_) stop_boot_ms_ = now_.boot_ms;
  blocked_boot_ms_ = -1;
  settle();
}

Status MqttSource::restore(const StoredBlob& blob) {
  switch (blob.kind) {
    case BlobKind::Operator:
      return restore_own(blob);
    case BlobKind::SessionTail:
      return tail_.restore(blob);
    default:
      return Status(Code::Corrupt, "mqtt source: a blob of an unknown kind");
  }
}

Status MqttSource::restore_own(const StoredBlob& blob) {
  WEIR_ASSERT(handler_ == nullptr);
  ByteReader in(blob.bytes);
  offset_ = in.get<uint64_t>();
  std::string_view client_id = in.get_sized_text();
  Bytes filters = in.get_sized();
  if (!in.ok() || !FilterList::valid(filters)) return Status(Code::Corrupt, "mqtt source: malformed state");
  if (!in.at_end()) WEIR_TRY(restore_journal(in));
  had_session_ = true;
  tail_.reset();
  subscribed_.clear();
  foreign_ = client_id != spec_.client_id;
  if (foreign_) {
    log(LogLevel::Warning, "%s: the client id was \"%.*s\" and is \"%s\" now: messages that wait in the old session stay there",
        spec_.name.c_str(), static_cast<int>(client_id.size()), client_id.data(), spec_.client_id.c_str());
    return {};
  }
  bool all = true;
  FilterList::for_each_in(filters, [&](std::string_view filter, uint8_t qos) { all = subscribed_.add(filter, qos) && all; });
  if (!all)
    log(LogLevel::Warning, "%s: the earlier configuration had too many filters; some stay subscribed", spec_.name.c_str());
  return {};
}

Status MqttSource::restore_finished() {
  if (journaling_) return journaling_->open();
  forget_foreign_session();
  return {};
}

/// Another session's packet ids say nothing about this one's.
void MqttSource::forget_foreign_session() {
  if (foreign_) tail_.clear();
  foreign_ = false;
}

}  // namespace weir
