#include <algorithm>

#include "agent/base/heap_guard.h"
#include "agent/status/agent_status.h"
#include "agent/status/json_object.h"
#include "agent/status/ledger_report.h"

namespace weir {
namespace {

void render_memory(const AgentStatus& status, TextWriter& out) {
  JsonObject memory(out);
  memory.number("reserved", status.memory_reserved);
  memory.number("limit", status.memory_limit);
  memory.number("rss", status.memory_rss);
  memory.flag("heap_guard", heap_guard_present());
  {
    JsonObject sqlite(memory.key("sqlite"));
    sqlite.number("limit", status.sqlite_limit);
    sqlite.number("used", status.sqlite_used);
    sqlite.number("peak", status.sqlite_peak);
    sqlite.number("refused", status.sqlite_refused);
  }
  JsonObject heap(memory.key("heap_allocations"));
  heap.number("weir", heap_allocations(HeapOwner::Weir));
  heap.number("mosquitto", heap_allocations(HeapOwner::Mosquitto));
  heap.number("sqlite", heap_allocations(HeapOwner::Sqlite));
  heap.number("system", heap_allocations(HeapOwner::SystemLibrary));
  heap.number("restart", heap_allocations(HeapOwner::Restart));
}

void render_clock(const AgentStatus& status, TextWriter& out) {
  JsonObject clock(out);
  clock.text("state", clock_sync_name(status.clock.sync));
  clock.flag("plausible", status.clock.plausible);
  clock.signed_number("wall_ms", status.now.wall_ms);
  clock.number("steps", status.clock.steps);
  clock.signed_number("last_step_ms", status.clock.last_step_ms);
}

/// `link`: its members, among those of the source or the sink that has the connection.
void render_link(const LinkStatus& link, Now now, JsonObject& object) {
  object.number("lost", link.lost);
  object.number("takeovers", link.takeovers);
  object.number("closed_early", link.closed_early);
  object.number("failed_attempts", link.failed_attempts);
  object.signed_number("since_ms", link.since_boot_ms < 0 ? -1 : now.boot_ms - link.since_boot_ms);
  object.signed_number("next_try_ms",
                       link.next_try_boot_ms < 0 ? -1 : std::max<int64_t>(0, link.next_try_boot_ms - now.boot_ms));
}

void render_source(const PipelineStatus& pipeline, Now now, TextWriter& out) {
  JsonObject source(out);
  source.flag("connected", pipeline.source.connected);
  source.number("unacknowledged", pipeline.source.unacknowledged);
  source.number("offset", pipeline.source.offset);
  source.number("connects", pipeline.source.connects);
  source.number("broker_dropped", pipeline.source.broker_dropped);
  source.flag("idle", pipeline.idle);
  source.flag("shedding", pipeline.source.shedding);
  source.text("error", pipeline.source.error);
  render_link(pipeline.source.link, now, source);
  const JournalStatus& status = pipeline.source.journal;
  if (!status.used) return;
  JsonObject journal(source.key("journal"));
  journal.number("bytes", status.bytes);
  journal.number("needed_bytes", status.needed_bytes);
  journal.number("written_bytes", status.written_bytes);
  journal.number("groups", status.groups);
  journal.signed_number("oldest_arrival_ms", status.oldest_arrival_ms);
  journal.number("replay_messages", status.replay_messages);
  journal.number("replayed", status.replayed);
  journal.number("lost_groups", status.lost_batches);
  journal.text("error", status.error);
}

void render_ledger(const PipelineStatus& pipeline, TextWriter& out) {
  JsonObject account(out);
  render_account(pipeline.ledger, account);
  account.number("late_partial", pipeline.late_partial);
  account.number("late_updates", pipeline.late_updates);
}

void render_checkpoint(const CheckpointStatus& status, TextWriter& out) {
  JsonObject checkpoint(out);
  checkpoint.number("last_id", status.last_id);
  checkpoint.text("last_reason", checkpoint_reason_name(status.last_reason));
  checkpoint.signed_number("last_duration_ms", status.last_duration_ms);
  checkpoint.signed_number("age_ms", status.age_ms);
  checkpoint.number("completed", status.completed);
  checkpoint.number("failed", status.failed);
  checkpoint.number("failures_in_a_row", status.failures_in_a_row);
  checkpoint.flag("overage", status.overage);
  checkpoint.flag("in_progress", status.in_progress);
  checkpoint.text("error", status.error);
}

/// The directory is known to whoever asks, and can be long.
std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void render_recovery(const RecoveryStatus& status, TextWriter& out) {
  JsonObject recovery(out);
  recovery.number("checkpoint_id", status.checkpoint_id);
  recovery.signed_number("open_ms", status.open_ms);
  recovery.signed_number("restore_ms", status.restore_ms);
  recovery.signed_number("connect_ms", status.connect_ms);
  recovery.signed_number("total_ms", status.total_ms);
  recovery.signed_number("since_checkpoint_ms", status.since_checkpoint_ms);
  if (status.lost.newest_id == 0) {
    recovery.key("lost").append("null");
    return;
  }
  JsonObject lost(recovery.key("lost"));
  lost.number("newest_checkpoint_id", status.lost.newest_id);
  lost.signed_number("messages", status.lost.messages);
  lost.text("damage", status.lost.damage);
  lost.text("copy", file_name(status.lost.copy));
}

void render_sink(const PipelineStatus& pipeline, Now now, TextWriter& out) {
  JsonObject sink(out);
  sink.flag("connected", pipeline.sink.connected);
  sink.number("published", pipeline.sink.published);
  sink.number("in_flight", pipeline.sink.in_flight);
  sink.number("connects", pipeline.sink.connects);
  sink.text("error", pipeline.sink.error);
  render_link(pipeline.sink.link, now, sink);
}

void render_restart(const RestartStatus& status, TextWriter& out) {
  JsonObject restart(out);
  restart.text("strategy", status.strategy);
  restart.number("failures", status.failures);
  restart.signed_number("next_in_ms", status.next_in_ms);
  restart.text("cause", status.cause);
}

void render_pipeline(const PipelineStatus& pipeline, Now now, TextWriter& out) {
  JsonObject object(out);
  object.text("name", pipeline.name);
  object.text("state", pipeline.state);
  object.text("error", pipeline.error);
  if (pipeline.has_watermark) {
    object.signed_number("watermark_ms", pipeline.watermark_ms);
  } else {
    object.key("watermark_ms").append("null");
  }
  object.signed_number("clock_ahead_ms", pipeline.clock_ahead_ms);
  render_source(pipeline, now, object.key("source"));
  render_ledger(pipeline, object.key("ledger"));
  {
    JsonObject reasons(object.key("dead_letter_reasons"));
    for (size_t index = 0; index < pipeline.reason_count; ++index)
      reasons.number(pipeline.reasons[index].reason, pipeline.reasons[index].count);
  }
  render_checkpoint(pipeline.checkpoint, object.key("checkpoint"));
  render_recovery(pipeline.recovery, object.key("recovery"));
  render_restart(pipeline.restart, object.key("restart"));
  render_sink(pipeline, now, object.key("sink"));
  JsonObject outbox(object.key("outbox"));
  outbox.number("rows", pipeline.outbox_rows);
  outbox.number("bytes", pipeline.outbox_bytes);
  outbox.number("waiting_blobs", pipeline.outbox_waiting_blobs);
}

}  // namespace

void render_status_json(const AgentStatus& status, TextWriter& out) {
  {
    JsonObject agent(out);
    agent.text("version", status.version);
    agent.signed_number("pid", status.pid);
    agent.text("name", status.name);
    agent.signed_number("uptime_ms", status.uptime_ms);
    agent.flag("ready", status.ready);
    render_clock(status, agent.key("clock"));
    render_memory(status, agent.key("memory"));
    agent.key("incident").append(status.incident_json.empty() ? "null" : status.incident_json);
    agent.key("pipelines").append('[');
    for (size_t index = 0; index < status.pipelines.size(); ++index) {
      if (index > 0) out.append(',');
      render_pipeline(status.pipelines[index], status.now, out);
    }
    out.append(']');
  }
  out.append('\n');
}

}  // namespace weir
