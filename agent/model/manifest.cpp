#include "agent/model/manifest.h"

namespace weir {

const char* checkpoint_reason_name(CheckpointReason reason) {
  switch (reason) {
    case CheckpointReason::None:
      return "none";
    case CheckpointReason::Interval:
      return "interval";
    case CheckpointReason::Records:
      return "records";
    case CheckpointReason::Unacked:
      return "unacked";
    case CheckpointReason::OutboxFull:
      return "outbox";
    case CheckpointReason::DeadLettersFull:
      return "dead-letters";
    case CheckpointReason::DirtyBytes:
      return "dirty-bytes";
    case CheckpointReason::Session:
      return "session";
    case CheckpointReason::Stop:
      return "stop";
    case CheckpointReason::Requested:
      return "requested";
    case CheckpointReason::PayloadBytes:
      return "bytes";
    case CheckpointReason::DirtyKeys:
      return "dirty-keys";
    case CheckpointReason::OutboxRows:
      return "outbox-rows";
    case CheckpointReason::EventTime:
      return "event-time";
    case CheckpointReason::When:
      return "when";
    case CheckpointReason::Trigger:
      return "trigger";
    case CheckpointReason::JournalFull:
      return "journal";
  }
  return "?";
}

}  // namespace weir
