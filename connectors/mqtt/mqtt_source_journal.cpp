// What a journal changes in an MqttSource: acknowledgements wait for it, and a start begins with what it holds.
#include "agent/base/hash.h"
#include "connectors/mqtt/mqtt_source.h"

namespace weir {

bool MqttSource::prepare_checkpoint(Now now) {
  if (!journaling_) return true;
  now_ = now;
  const bool prepared = journaling_->prepare_checkpoint(now);
  // What has begun to become durable must be all that there is.
  if (!prepared && !reading_) update_events();
  return prepared;
}

void MqttSource::on_turn(Now now) {
  if (!journaling_) return;
  now_ = now;
  journaling_->on_turn(now);
  if (!reading_) update_events();
}

int64_t MqttSource::next_deadline_boot_ms() const { return journaling_ ? journaling_->next_deadline_boot_ms() : INT64_MAX; }

/// The messages before this one's offset are in the restored state; so is what was known of their deliveries.
void MqttSource::on_replay(const JournalRecord& record, Now now) {
  now_ = now;
  if (record.kind == JournalKind::SessionLost) {
    if (record.offset >= offset_) tail_.clear();
    return;
  }
  if (record.offset <= offset_) return;
  offset_ = record.offset;
  if (record.qos > 0) {
    const uint64_t hash =
        record.kind == JournalKind::Message ? hash64(record.payload, hash64(as_bytes(record.topic))) : record.hash;
    tail_.record(record.packet_id, hash);
  }
  deliver(record);
}

void MqttSource::on_replayed(Now now) {
  now_ = now;
  forget_foreign_session();
  settle();
}

void MqttSource::on_journal_durable(Now now) {
  now_ = now;
  // Nothing was read since the group was closed, so whatever is queued is covered now.
  if (journaling_->pending() == 0) held_ = false;
  settle();
}

void MqttSource::on_journal_failed(Status status, Now now) {
  now_ = now;
  handler_->on_source_failed(status, now);
}

/// The journal has to know as well: read back, it must not take a later session's deliveries for redeliveries of this one's.
void MqttSource::note_session_lost() {
  if (journaling_ && tail_.size() > 0) {
    JournalRecord record;
    record.kind = JournalKind::SessionLost;
    record.arrival_ms = handler_->arrival_ms(now_);
    record.offset = offset_;
    journaling_->append(record, now_);
  }
  tail_.clear();
}

/// Without a journal, what only it could bring back must not be passed over in silence.
Status MqttSource::restore_journal(ByteReader& in) {
  if (journaling_ && journaling_->decode(in) && in.at_end()) return {};
  if (journaling_) return Status(Code::Corrupt, "mqtt source: malformed state of the journal");
  bool follows = false;
  if (!Journaling::decode_follows(in, follows) || !in.at_end())
    return Status(Code::Corrupt, "mqtt source: malformed state of the journal");
  if (!follows) return {};
  return Status(Code::Incompatible,
                "the last run acknowledged input after its journal, and was not stopped cleanly: start once with ack = "
                "\"journal\" and stop, then change it");
}

}  // namespace weir
