#include "agent/model/flight_recorder.h"

#include <algorithm>

#include "agent/base/hash.h"

namespace weir {

const char* flight_event_name(FlightEvent event) {
  switch (event) {
    case FlightEvent::None:
      break;
    case FlightEvent::Started:
      return "started";
    case FlightEvent::Stopping:
      return "stopping";
    case FlightEvent::Connected:
      return "connected";
    case FlightEvent::Disconnected:
      return "connection lost";
    case FlightEvent::CheckpointBegun:
      return "checkpoint begun";
    case FlightEvent::CheckpointCompleted:
      return "checkpoint completed";
    case FlightEvent::CheckpointFailed:
      return "checkpoint failed";
    case FlightEvent::SessionLost:
      return "session lost";
    case FlightEvent::PipelineFailed:
      return "pipeline failed";
    case FlightEvent::Poison:
      return "poison message set aside";
    case FlightEvent::Recovered:
      return "recovered";
    case FlightEvent::Stuck:
      return "stuck";
  }
  return "unknown";
}

FlightRecorder& FlightRecorder::none() {
  static FlightRecorder recorder;
  return recorder;
}

std::string_view step_name(const PipelineTrace& trace, uint32_t step) {
  if (step == 0) return "source";
  const size_t known = std::min<size_t>(trace.step_count, PipelineTrace::steps_max);
  return step <= known ? text_in(trace.steps[step - 1]) : step <= trace.step_count ? "a later step" : "sink";
}

uint64_t message_hash(std::string_view topic, std::span<const uint8_t> payload) {
  return hash64(payload, hash64(as_bytes(topic)));
}

void copy_cut(std::span<char> to, std::string_view text) {
  const size_t length = std::min(text.size(), to.size() - 1);
  std::copy_n(text.begin(), length, to.begin());
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(length), to.end(), '\0');
}

std::string_view text_in(std::span<const char> text) {
  return {text.data(), static_cast<size_t>(std::find(text.begin(), text.end(), '\0') - text.begin())};
}

}  // namespace weir
