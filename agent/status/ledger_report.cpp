#include "agent/status/ledger_report.h"

#include <cinttypes>

namespace weir {
namespace {

void line(const char* sign, const char* what, uint64_t count, TextWriter& out) {
  out.printf("  %s %-14s %12" PRIu64 "\n", sign, what, count);
}

void render_sources(std::span<const SourceAccount> sources, TextWriter& out) {
  out.append('[');
  for (const SourceAccount& source : sources) {
    if (&source != sources.data()) out.append(',');
    JsonObject object(out);
    object.text("name", source.name);
    object.number("received", source.received());
    object.number("applied", source.applied);
    object.number("filtered", source.filtered);
    object.number("late", source.late);
    object.number("dead_lettered", source.dead_lettered);
  }
  out.append(']');
}

}  // namespace

void render_ledger_text(const LedgerEntry& entry, TextWriter& out) {
  const Ledger& ledger = entry.ledger;
  out.append("pipeline ").append(entry.pipeline).append(": ");
  if (ledger.imbalance() == 0)
    out.append("it balances");
  else
    out.append("OUT OF BALANCE by ").append_int(ledger.imbalance());
  out.append(entry.running ? ", checkpoint " : ", as of checkpoint ").append_uint(entry.checkpoint_id).append('\n');
  line(" ", "received", ledger.received, out);
  line("=", "applied", ledger.applied, out);
  line("+", "filtered", ledger.filtered, out);
  line("+", "late", ledger.late, out);
  line("+", "dead letters", ledger.dead_lettered, out);
  line("+", "duplicates", ledger.duplicate, out);
  line("+", "shed", ledger.shed, out);
  if (entry.running) line(" ", "in flight", entry.unacknowledged, out);
  line(" ", "results", ledger.results, out);
  line(" ", "evicted", ledger.evicted, out);
  for (const SourceAccount& source : entry.sources)
    out.printf("  of source %s: %" PRIu64 " = applied %" PRIu64 " + filtered %" PRIu64 " + late %" PRIu64
               " + dead letters %" PRIu64 "\n",
               source.name, source.received(), source.applied, source.filtered, source.late, source.dead_lettered);
  out.printf("  known gaps: the broker had forgotten the session %" PRIu64 " times", ledger.session_lost);
  if (entry.running) out.printf("; it says that it has dropped %" PRIu64 " messages of all its clients", entry.broker_dropped);
  out.append('\n');
}

void render_account(const Ledger& ledger, JsonObject& account) {
  account.number("received", ledger.received);
  account.number("applied", ledger.applied);
  account.number("filtered", ledger.filtered);
  account.number("late", ledger.late);
  account.number("dead_lettered", ledger.dead_lettered);
  account.number("duplicate", ledger.duplicate);
  account.number("shed", ledger.shed);
  account.number("results", ledger.results);
  account.number("evicted", ledger.evicted);
  account.number("session_lost", ledger.session_lost);
  account.signed_number("imbalance", ledger.imbalance());
}

void render_ledger_json(const LedgerEntry& entry, TextWriter& out) {
  {
    JsonObject object(out);
    object.text("pipeline", entry.pipeline);
    object.number("checkpoint_id", entry.checkpoint_id);
    object.flag("running", entry.running);
    render_account(entry.ledger, object);
    if (!entry.sources.empty()) render_sources(entry.sources, object.key("sources"));
    if (entry.running) {
      object.number("in_flight", entry.unacknowledged);
      object.number("broker_dropped", entry.broker_dropped);
    }
  }
  out.append('\n');
}

}  // namespace weir
