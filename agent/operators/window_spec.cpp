// What of a WindowAggregate is settled before it runs: whether its specification can be built, and the texts and sizes that
// follow from it.
#include "agent/operators/window_spec.h"

#include <algorithm>

#include "agent/operators/window_aggregate.h"

namespace weir {
namespace {

/// Window arithmetic adds and subtracts two sizes.
constexpr int64_t size_max = INT64_MAX / 4;
/// A step's state beyond this is a slip of the pen, not a plan.
constexpr uint64_t state_bytes_max = Arena::default_capacity / 4;

using Part = WindowFault::Part;

class Checker {
 public:
  Checker(const WindowSpec& spec, const Schema& input) : spec_(spec), input_(input) {}

  std::vector<WindowFault> run() {
    check_times();
    check_names();
    check_memory();
    return std::move(faults_);
  }

 private:
  void blame(Part part, size_t index, std::string message) { faults_.push_back({part, index, std::move(message)}); }

  void check_times() {
    const auto& [size_ms, offset_ms] = spec_.windows;
    times_fit_ = size_ms >= 1 && size_ms <= size_max;
    if (!times_fit_) return blame(Part::Tumbling, 0, "a window is at least 1 ms long");
    if (offset_ms <= -size_ms || offset_ms >= size_ms) blame(Part::Offset, 0, "the offset must be smaller than the window");
  }

  void check_names() {
    for (WindowFault& fault : check_window_fields(input_, spec_.key_fields, spec_.aggregates, false))
      faults_.push_back(std::move(fault));
  }

  void check_memory() {
    const WindowSizes sizes = window_sizes(spec_, input_);
    if (sizes.slot_bytes > KeyedState::slot_bytes_max)
      return blame(Part::KeyBy, 0,
                   "the state of one window takes " + std::to_string(sizes.slot_bytes) + " bytes, more than " +
                       std::to_string(KeyedState::slot_bytes_max) + "; give text fields a smaller length");
    if (spec_.max_keys == 0) return blame(Part::MaxKeys, 0, "max_keys must be at least 1");
    if (!times_fit_) return;
    if (spec_.max_keys > state_bytes_max || sizes.panes > state_bytes_max / spec_.max_keys / sizes.slot_bytes)
      blame(Part::MaxKeys, 0,
            std::to_string(spec_.max_keys) + " keys x " + std::to_string(sizes.panes) + " open windows x " +
                std::to_string(sizes.slot_bytes) + " bytes is more than " + std::to_string(state_bytes_max));
  }

  const WindowSpec& spec_;
  const Schema& input_;
  std::vector<WindowFault> faults_;
  bool times_fit_ = false;
};

std::string type_text(Type type, uint32_t max_length) {
  if (type != Type::String) return type_name(type);
  return std::string(type_name(type)) + "(" + std::to_string(max_length) + ")";
}

}  // namespace

std::vector<WindowFault> WindowAggregate::check(const WindowSpec& spec, const Schema& input) {
  return Checker(spec, input).run();
}

WindowSizes window_sizes(const WindowSpec& spec, const Schema& input) {
  WindowSizes sizes;
  sizes.slot_bytes = window_header_bytes + spec.aggregates.bytes() + KeyCodec(input, spec.key_fields).bytes_max();
  sizes.panes = static_cast<uint64_t>(spec.max_delay_ms / std::max<int64_t>(1, spec.windows.size_ms)) + 2;
  return sizes;
}

Schema window_schema(const WindowSpec& spec, const Schema& input) {
  return window_fields(input, spec.key_fields, spec.aggregates, false);
}

std::string window_layout(const WindowSpec& spec, const Schema& input) {
  std::string text = "window 2, tumbling " + std::to_string(spec.windows.size_ms) + " ms, offset " +
                     std::to_string(spec.windows.offset_ms) + " ms";
  for (uint32_t position : spec.key_fields)
    text += ", key " + input[position].name + " " + type_text(input[position].type, input[position].max_length);
  return text + spec.aggregates.layout();
}

}  // namespace weir
