// Dead letters that are taken in once more.
#include "agent/runtime/pipeline.h"

namespace weir {

const char* Pipeline::not_replayable(const DeadLetter& letter) const {
  if (letter.step == "sink" || letter.topic.empty()) return "it is a result, not a message";
  if (letter.payload_size > letter.payload.size()) return "its payload was cut (dead_letters.max_payload)";
  // The process died at it, so nothing of it was kept; and what the source refuses has reached no step.
  if (letter.reason == "poison" || letter.step == "source") return nullptr;
  return graph_.nothing_before(letter.step) ? nullptr : "another step has taken the message up already";
}

bool Pipeline::replay(int64_t id, const DeadLetter& letter, Now now) {
  WEIR_ASSERT(may_replay());
  Message message;
  message.topic = letter.topic;
  message.payload = letter.payload;
  message.offset = letter.offset;
  message.arrival_ms = letter.arrival_ms;
  dead_letters_.replayed(id);
  // It was received once, and has been a dead letter since.
  if (ledger_.dead_lettered > 0)
    --ledger_.dead_lettered;
  else
    ++ledger_.received;
  if (SourceAccount* source = account_of(letter.topic); source != nullptr && source->dead_lettered > 0) --source->dead_lettered;
  const uint64_t set_aside_before = ledger_.dead_lettered;
  attempts_ = letter.attempts + 1;
  trace_->in_hand.begin(message.offset, message_hash(message.topic, message.payload));
  work_at(message, now);
  trace_->in_hand.end();
  attempts_ = 0;
  changed_ = true;
  if (!ready()) {
    blocked_ = true;
    request_if_full();
  }
  if (!dead_letters_.may_replay()) coordinator_.request(CheckpointReason::DeadLettersFull);
  return ledger_.dead_lettered == set_aside_before;
}

}  // namespace weir
