// AgentStatus: what `weir status` shows, as JSON for programs and as text for people. Rendered into a fixed buffer on the
// reactor thread.
#pragma once

#include <span>
#include <string_view>

#include "agent/base/text_writer.h"
#include "agent/model/clock_status.h"
#include "agent/model/pipeline_status.h"

namespace weir {

struct AgentStatus {
  std::string_view version;
  int pid = 0;
  std::string_view name;
  int64_t uptime_ms = 0;
  Now now;
  bool ready = false;
  ClockStatus clock;
  uint64_t memory_reserved = 0;  // bytes, what `weir plan` prints
  uint64_t memory_limit = 0;
  uint64_t memory_rss = 0;
  uint64_t sqlite_limit = 0;  // bytes of the block that SQLite has, part of what is reserved
  uint64_t sqlite_used = 0;
  uint64_t sqlite_peak = 0;
  uint64_t sqlite_refused = 0;  // requests that found no room in it
  /// The last death that the flight recorder knows of: a sentence, and a JSON value. Empty: none, or there is no recorder.
  std::string_view incident;
  std::string_view incident_json;
  std::span<const PipelineStatus> pipelines;
};

/// Bytes that one pipeline and the rest need at most, in either form.
constexpr size_t status_pipeline_bytes_max = 5120;
constexpr size_t status_agent_bytes_max = 3072;

void render_status_json(const AgentStatus& status, TextWriter& out);
void render_status_text(const AgentStatus& status, TextWriter& out);

}  // namespace weir
