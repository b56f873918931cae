// Places at which a test lets the agent die, as if the power of the process had been cut between two of its steps: before and
// after each step of a checkpoint, an acknowledgement and the way of a result. In the product crash_point() is nothing at all;
// the sources that name it are compiled once more, with WEIR_CRASH_POINTS, for an agent of the tests' own
// (firmware-tests/faults/crash_points.cpp), which dies where WEIR_CRASH_AT says. Any thread.
#pragma once

namespace weir {

#ifdef WEIR_CRASH_POINTS
/// Requires one of the names in firmware-tests/faults/crash_points.h.
void crash_point(const char* name);
#else
constexpr void crash_point(const char*) {}
#endif

}  // namespace weir
