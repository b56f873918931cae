#include "firmware-tests/support/observed_status.h"

#include <simdjson.h>

namespace weir {
namespace {

using Element = simdjson::dom::element;

/// The member `name` into `to`, if it is there and of that type.
template <class T>
void read(Element from, std::string_view name, T& to) {
  T value{};
  if (from[name].get(value) == simdjson::SUCCESS) to = value;
}
void read(Element from, std::string_view name, std::string& to) {
  std::string_view text;
  if (from[name].get(text) == simdjson::SUCCESS) to = text;
}

/// An empty stand-in where the member is missing, so that readers of its own members find nothing.
Element member(Element from, std::string_view name) {
  Element found;
  return from[name].get(found) == simdjson::SUCCESS ? found : Element();
}

bool has(Element from, std::string_view name) { return from[name].error() == simdjson::SUCCESS; }

void read_link(Element from, ObservedLink& to) {
  read(from, "lost", to.lost);
  read(from, "takeovers", to.takeovers);
  read(from, "closed_early", to.closed_early);
  read(from, "failed_attempts", to.failed_attempts);
  read(from, "since_ms", to.since_ms);
  read(from, "next_try_ms", to.next_try_ms);
}

void read_source(Element from, ObservedPipeline& to) {
  read(from, "connected", to.source.connected);
  read(from, "idle", to.source.idle);
  read(from, "shedding", to.source.shedding);
  read(from, "unacknowledged", to.source.unacknowledged);
  read(from, "offset", to.source.offset);
  read(from, "connects", to.source.connects);
  read(from, "error", to.source.error);
  read_link(from, to.source.link);
}

void read_ledger(Element from, ObservedPipeline& to) {
  read(from, "received", to.ledger.received);
  read(from, "applied", to.ledger.applied);
  read(from, "filtered", to.ledger.filtered);
  read(from, "late", to.ledger.late);
  read(from, "dead_lettered", to.ledger.dead_lettered);
  read(from, "duplicate", to.ledger.duplicate);
  read(from, "shed", to.ledger.shed);
  read(from, "results", to.ledger.results);
  read(from, "evicted", to.ledger.evicted);
  read(from, "session_lost", to.ledger.session_lost);
  read(from, "imbalance", to.imbalance);
}

void read_checkpoint(Element from, ObservedPipeline& to) {
  read(from, "last_id", to.checkpoint.last_id);
  read(from, "last_reason", to.checkpoint.last_reason);
  read(from, "last_duration_ms", to.checkpoint.last_duration_ms);
  read(from, "completed", to.checkpoint.completed);
  read(from, "failed", to.checkpoint.failed);
  read(from, "age_ms", to.checkpoint.age_ms);
  read(from, "in_progress", to.checkpoint.in_progress);
}

void read_recovery(Element from, ObservedPipeline& to) {
  read(from, "checkpoint_id", to.recovery.checkpoint_id);
  read(from, "open_ms", to.recovery.open_ms);
  read(from, "restore_ms", to.recovery.restore_ms);
  read(from, "connect_ms", to.recovery.connect_ms);
  read(from, "total_ms", to.recovery.total_ms);
  if (!has(from, "lost")) return;
  const Element lost = member(from, "lost");
  read(lost, "newest_checkpoint_id", to.recovery.lost_newest_id);
  read(lost, "messages", to.recovery.lost_messages);
  read(lost, "damage", to.recovery.lost_damage);
  read(lost, "copy", to.recovery.lost_copy);
}

void read_sink_and_outbox(Element from, ObservedPipeline& to) {
  if (has(from, "sink")) {
    const Element sink = member(from, "sink");
    read(sink, "connected", to.sink.connected);
    read(sink, "published", to.sink.published);
    read(sink, "in_flight", to.sink.in_flight);
    read(sink, "connects", to.sink.connects);
    read_link(sink, to.sink.link);
  }
  if (has(from, "outbox")) {
    const Element outbox = member(from, "outbox");
    read(outbox, "rows", to.outbox.rows);
    read(outbox, "bytes", to.outbox.bytes);
    read(outbox, "waiting_blobs", to.outbox.waiting_blobs);
  }
}

ObservedPipeline read_pipeline(Element from) {
  ObservedPipeline to;
  read(from, "name", to.name);
  read(from, "state", to.state);
  int64_t watermark_ms = 0;
  if (from["watermark_ms"].get(watermark_ms) == simdjson::SUCCESS) to.watermark_ms = watermark_ms;
  if (has(from, "source")) read_source(member(from, "source"), to);
  if (has(from, "ledger")) read_ledger(member(from, "ledger"), to);
  if (has(from, "checkpoint")) read_checkpoint(member(from, "checkpoint"), to);
  if (has(from, "recovery")) read_recovery(member(from, "recovery"), to);
  read_sink_and_outbox(from, to);
  simdjson::dom::object reasons;
  if (from["dead_letter_reasons"].get(reasons) == simdjson::SUCCESS) {
    for (const auto [reason, count] : reasons) {
      uint64_t value = 0;
      if (count.get(value) == simdjson::SUCCESS) to.dead_letter_reasons[std::string(reason)] = value;
    }
  }
  return to;
}

void read_memory(Element from, ObservedAgent& to) {
  read(from, "reserved", to.memory.reserved);
  read(from, "limit", to.memory.limit);
  read(from, "rss", to.memory.rss);
  read(from, "heap_guard", to.memory.heap_guard);
  const Element sqlite = member(from, "sqlite");
  read(sqlite, "limit", to.memory.sqlite_limit);
  read(sqlite, "peak", to.memory.sqlite_peak);
  read(sqlite, "refused", to.memory.sqlite_refused);
  if (!has(from, "heap_allocations")) return;
  const Element allocations = member(from, "heap_allocations");
  read(allocations, "weir", to.memory.weir_allocations);
  read(allocations, "mosquitto", to.memory.mosquitto_allocations);
  read(allocations, "sqlite", to.memory.sqlite_allocations);
  read(allocations, "system", to.memory.system_allocations);
}

}  // namespace

ObservedPipeline ObservedAgent::pipeline(std::string_view pipeline_name) const {
  for (const ObservedPipeline& candidate : pipelines) {
    if (candidate.name == pipeline_name) return candidate;
  }
  return {};
}

Result<ObservedAgent> parse_status(const std::string& json) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return Status{Code::Protocol, "the status is no JSON object"};
  }
  ObservedAgent to;
  read(root, "version", to.version);
  read(root, "name", to.name);
  read(root, "pid", to.pid);
  read(root, "uptime_ms", to.uptime_ms);
  read(root, "ready", to.ready);
  if (has(root, "memory")) read_memory(member(root, "memory"), to);
  simdjson::dom::array pipelines;
  if (root["pipelines"].get(pipelines) == simdjson::SUCCESS) {
    for (const Element pipeline : pipelines) to.pipelines.push_back(read_pipeline(pipeline));
  }
  return to;
}

Result<ObservedBill> parse_bill(const std::string& json) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return Status{Code::Protocol, "the bill is no JSON object"};
  }
  ObservedBill bill;
  read(root, "reserved", bill.reserved);
  simdjson::dom::array pools;
  if (root["pools"].get(pools) != simdjson::SUCCESS) return Status{Code::Protocol, "the bill has no pools"};
  for (const Element element : pools) {
    ObservedPool pool;
    read(element, "name", pool.name);
    read(element, "bytes", pool.bytes);
    read(element, "reason", pool.reason);
    bill.pools.push_back(pool);
  }
  return bill;
}

}  // namespace weir
