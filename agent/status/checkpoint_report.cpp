#include "agent/status/checkpoint_report.h"

#include <cinttypes>

#include "agent/status/utc_text.h"

namespace weir {
void begin_checkpoint_report(bool json, TextWriter& out) {
  if (json)
    out.append("{\"checkpoints\":[");
  else
    out.printf("%-20s %8s  %-20s %-13s %9s %9s %11s %11s %10s\n", "pipeline", "id", "begun", "reason", "T_timeout", "T_data",
               "T_sync", "T_async", "bytes");
}

void report_checkpoint(std::string_view pipeline, const CheckpointTimes& times, bool json, bool first, TextWriter& out) {
  if (json) {
    out.append(first ? "{\"pipeline\":" : ",{\"pipeline\":").append_json_string(pipeline);
    out.printf(",\"id\":%" PRIu64 ",\"reason\":\"%s\",\"created_ms\":%" PRId64 ",\"timeout_ms\":%" PRId64
               ",\"data_ms\":%" PRId64 ",\"checkpoint_ms\":%" PRId64 ",\"sync_us\":%" PRId64 ",\"async_us\":",
               times.id, checkpoint_reason_name(times.reason), times.created_wall_ms, times.timer_ms, times.data_ms,
               times.timer_ms + times.data_ms, times.sync_us);
    if (times.async_us < 0)
      out.append("null");
    else
      out.append_int(times.async_us);
    out.printf(",\"bytes\":%" PRIu64 "}", times.bytes);
    return;
  }
  out.printf("%-20.*s %8" PRIu64 "  ", static_cast<int>(pipeline.size()), pipeline.data(), times.id);
  append_utc(out, times.created_wall_ms);
  out.printf(" %-13s %6" PRId64 " ms %6" PRId64 " ms %8.3f ms ", checkpoint_reason_name(times.reason), times.timer_ms,
             times.data_ms, static_cast<double>(times.sync_us) / 1000);
  if (times.async_us < 0)
    out.append("          -");
  else
    out.printf("%8.3f ms", static_cast<double>(times.async_us) / 1000);
  out.printf(" %10" PRIu64 "\n", times.bytes);
}

void end_checkpoint_report(bool json, std::string_view incident, TextWriter& out) {
  if (json)
    out.append("],\"incident\":").append(incident.empty() ? "null" : incident).append("}\n");
  else if (!incident.empty())
    out.append("last incident: ").append(incident).append('\n');
}

}  // namespace weir
