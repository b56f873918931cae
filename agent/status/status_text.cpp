#include <algorithm>
#include <cinttypes>

#include "agent/base/civil_time.h"
#include "agent/base/heap_guard.h"
#include "agent/status/agent_status.h"

namespace weir {
namespace {

void render_size(TextWriter& out, uint64_t bytes) {
  if (bytes >= 10 << 20) {
    out.printf("%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  } else {
    out.printf("%.1f KiB", static_cast<double>(bytes) / (1 << 10));
  }
}

void render_connection(TextWriter& out, bool connected, const char* error, const LinkStatus& link, Now now) {
  out.append(connected ? "connected" : "not connected");
  if (!connected && error[0] != '\0') out.append(" (").append(error).append(')');
  if (!connected && link.since_boot_ms >= 0)
    out.printf(" for %.1f s", static_cast<double>(now.boot_ms - link.since_boot_ms) / 1000);
  if (!connected && link.next_try_boot_ms >= 0)
    out.printf(", next try in %.1f s", static_cast<double>(std::max<int64_t>(0, link.next_try_boot_ms - now.boot_ms)) / 1000);
}

/// What a connection without trouble does not have.
void render_trouble(TextWriter& out, const LinkStatus& link) {
  if (link.lost + link.failed_attempts == 0) return;
  out.printf("\n              connection lost %" PRIu64 " times, %" PRIu64 " tries to connect failed", link.lost,
             link.failed_attempts);
  if (link.takeovers > 0) out.printf(", TAKEN OVER %" PRIu64 " times by another client with this id", link.takeovers);
  if (link.closed_early > 0)
    out.printf(", closed by the broker within ten minutes %" PRIu64 " times, as when another client has this id",
               link.closed_early);
}

void render_lost(const RecoveryStatus& recovery, TextWriter& out) {
  const LostState& lost = recovery.lost;
  if (lost.newest_id == 0) return;
  out.printf("\n  LOST        checkpoint %" PRIu64, lost.newest_id);
  out.append(lost.damage[0] != '\0' ? " is damaged: " : ", for the store went back").append(lost.damage);
  if (lost.messages >= 0) out.printf("; %" PRId64 " messages are missing from the state", lost.messages);
  if (!lost.copy.empty()) out.append("; see ").append(lost.copy.substr(lost.copy.rfind('/') + 1));
}

void render_journal(const JournalStatus& journal, TextWriter& out) {
  if (!journal.used) return;
  out.append("\n  journal     ");
  render_size(out, journal.needed_bytes);
  out.append(" of ");
  render_size(out, journal.bytes);
  out.printf(" needed by checkpoints, %" PRIu64 " groups written", journal.groups);
  if (journal.oldest_arrival_ms > 0 && journal.oldest_arrival_ms <= civil_max_ms) {
    const CivilTime since = civil_of(journal.oldest_arrival_ms);
    out.printf(", reaches back to %04d-%02u-%02u %02u:%02u:%02u UTC", since.year, since.month, since.day, since.hour,
               since.minute, since.second);
  }
  if (journal.replayed < journal.replay_messages)
    out.printf(", REPLAYING %" PRIu64 " of %" PRIu64 " messages", journal.replayed, journal.replay_messages);
  else if (journal.replay_messages > 0)
    out.printf(", %" PRIu64 " messages were replayed at the start", journal.replay_messages);
  if (journal.lost_batches > 0) out.printf("; LOST %" PRIu64 " groups that cannot be read back", journal.lost_batches);
  if (journal.error[0] != '\0') out.append(": ").append(journal.error);
}

void render_pipeline(const PipelineStatus& pipeline, Now now, TextWriter& out) {
  const Ledger& ledger = pipeline.ledger;
  out.append("\npipeline ").append(pipeline.name).append(": ").append(pipeline.state);
  if (pipeline.error[0] != '\0') out.append(" (").append(pipeline.error).append(')');
  const RestartStatus& restart = pipeline.restart;
  if (restart.failures > 0 || restart.next_in_ms >= 0) {
    out.printf("\n  restarts    %" PRIu64 " failures (%s)", restart.failures, restart.strategy);
    if (!restart.cause.empty()) out.append(", the last: ").append(restart.cause);
    if (restart.next_in_ms >= 0) out.printf("; next start in %.1f s", static_cast<double>(restart.next_in_ms) / 1000);
  }
  out.append("\n  source      ");
  render_connection(out, pipeline.source.connected, pipeline.source.error, pipeline.source.link, now);
  out.printf(", %" PRIu64 " not yet acknowledged%s%s", pipeline.source.unacknowledged, pipeline.idle ? ", idle" : "",
             pipeline.source.shedding ? ", SHEDDING" : "");
  render_trouble(out, pipeline.source.link);
  if (pipeline.clock_ahead_ms > 0)
    out.printf("\n  clock       its time is %.1f s ahead of the wall clock, which it lets catch up",
               static_cast<double>(pipeline.clock_ahead_ms) / 1000);
  out.printf("\n  account     received %" PRIu64 " = applied %" PRIu64 " + filtered %" PRIu64 " + late %" PRIu64
             " + dead letters %" PRIu64 " + duplicates %" PRIu64 " + shed %" PRIu64,
             ledger.received, ledger.applied, ledger.filtered, ledger.late, ledger.dead_lettered, ledger.duplicate,
             ledger.shed);
  if (ledger.imbalance() != 0) out.printf("  DOES NOT BALANCE: %" PRId64, ledger.imbalance());
  if (pipeline.reason_count > 0) {
    out.append("\n  set aside   ");
    for (size_t index = 0; index < pipeline.reason_count; ++index) {
      out.append(index > 0 ? ", " : "")
          .append(pipeline.reasons[index].reason)
          .append(' ')
          .append_uint(pipeline.reasons[index].count);
    }
  }
  if (pipeline.late_partial + pipeline.late_updates > 0)
    out.printf("\n  late        %" PRIu64 " too late for some of their windows, %" PRIu64
               " changed a window that had been handed on",
               pipeline.late_partial, pipeline.late_updates);
  if (ledger.evicted > 0) out.printf("\n  evicted     %" PRIu64 " keys lost their state to max_keys", ledger.evicted);
  if (ledger.session_lost > 0)
    out.printf("\n  gaps        %" PRIu64 " times the broker had forgotten the session", ledger.session_lost);
  if (pipeline.source.broker_dropped > 0)
    out.printf("\n  broker      says it has dropped %" PRIu64 " messages, of all its clients", pipeline.source.broker_dropped);
  render_journal(pipeline.source.journal, out);
  const CheckpointStatus& checkpoint = pipeline.checkpoint;
  out.printf("\n  checkpoint  %" PRIu64, checkpoint.last_id);
  if (checkpoint.completed > 0)
    out.printf(" (%s, %" PRId64 " ms)", checkpoint_reason_name(checkpoint.last_reason), checkpoint.last_duration_ms);
  if (checkpoint.age_ms >= 0) out.printf(", %.1f s ago", static_cast<double>(checkpoint.age_ms) / 1000);
  out.printf(", %" PRIu64 " completed, %" PRIu64 " failed", checkpoint.completed, checkpoint.failed);
  if (checkpoint.error[0] != '\0') out.append(": ").append(checkpoint.error);
  if (checkpoint.overage) out.append("\n  ALARM       changes have waited for a checkpoint for longer than max_age");
  out.append("\n  sink        ");
  render_connection(out, pipeline.sink.connected, pipeline.sink.error, pipeline.sink.link, now);
  out.printf(", %" PRIu64 " results, %" PRIu64 " published, outbox %" PRIu64 " rows in memory, %" PRIu64 " bytes in all",
             ledger.results, pipeline.sink.published, pipeline.outbox_rows, pipeline.outbox_bytes);
  render_trouble(out, pipeline.sink.link);
  const RecoveryStatus& recovery = pipeline.recovery;
  render_lost(recovery, out);
  if (recovery.checkpoint_id > 0) {
    out.printf("\n  recovered   from checkpoint %" PRIu64 ": open %" PRId64 " ms, restore %" PRId64 " ms",
               recovery.checkpoint_id, recovery.open_ms, recovery.restore_ms);
    if (recovery.since_checkpoint_ms >= 0)
      out.printf(", %.1f s after that checkpoint", static_cast<double>(recovery.since_checkpoint_ms) / 1000);
    if (recovery.connect_ms >= 0)
      out.printf(", connect %" PRId64 " ms, in all %" PRId64 " ms", recovery.connect_ms, recovery.total_ms);
  }
  out.append('\n');
}

}  // namespace

void render_status_text(const AgentStatus& status, TextWriter& out) {
  out.append("weir ").append(status.version).append(" \"").append(status.name).append('"');
  out.printf(", pid %d, up %.1f s, %s\n", status.pid, static_cast<double>(status.uptime_ms) / 1000,
             status.ready ? "ready" : "not ready");
  out.append("memory: ");
  render_size(out, status.memory_reserved);
  out.append(" reserved of ");
  render_size(out, status.memory_limit);
  out.append(", resident ");
  render_size(out, status.memory_rss);
  out.append(", SQLite at most ");
  render_size(out, status.sqlite_peak);
  out.append(" of ");
  render_size(out, status.sqlite_limit);
  if (status.sqlite_refused > 0) out.printf(" (%" PRIu64 " requests refused)", status.sqlite_refused);
  if (heap_guard_present())
    out.printf(", %" PRIu64 " heap allocations of weir's own since start", heap_allocations(HeapOwner::Weir));
  out.append('\n');
  out.append("clock: ").append(clock_sync_name(status.clock.sync));
  if (!status.clock.plausible) out.append(", it was NEVER SET");
  if (status.clock.steps > 0)
    out.printf(", set %" PRIu64 " times, the last time by %.1f s", status.clock.steps,
               static_cast<double>(status.clock.last_step_ms) / 1000);
  out.append('\n');
  if (!status.incident.empty()) out.append("last incident: ").append(status.incident).append('\n');
  for (const PipelineStatus& pipeline : status.pipelines) render_pipeline(pipeline, status.now, out);
}

}  // namespace weir
