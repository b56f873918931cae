// The newest checkpoints of pipelines as text or JSON, for the control socket.
#pragma once

#include <span>
#include <string_view>

#include "agent/base/text_writer.h"
#include "agent/model/pipeline_status.h"

namespace weir {

/// Room that a pipeline's newest checkpoints need at most.
constexpr size_t checkpoint_report_bytes_max = 8 * 1024;

void begin_checkpoint_report(bool json, TextWriter& out);
/// One line, or one element of the JSON's list: `first` of all.
void report_checkpoint(std::string_view pipeline, const CheckpointTimes& times, bool json, bool first, TextWriter& out);
/// `incident`: what AgentStatus says of the last one, in the form that is wanted; empty: nothing.
void end_checkpoint_report(bool json, std::string_view incident, TextWriter& out);

}  // namespace weir
