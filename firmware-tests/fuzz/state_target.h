// The pipelines whose stored state is fuzzed: what makes a corpus has to know them too.
#pragma once

#include <cstdint>
#include <span>

namespace weir::fuzz {

/// The part number that stands for what the graph stores of itself.
constexpr uint8_t graph_part = 255;

/// Steps as a user writes them, over the source that stands at the top of docs/steps.md.
std::span<const char* const> state_pipelines();

}  // namespace weir::fuzz
