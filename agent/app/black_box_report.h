// What the flight recorder holds, for people and programs: the account of a death in one paragraph, and all of it for
// `weir blackbox`.
#pragma once

#include <string>

#include "agent/base/text_writer.h"
#include "agent/runtime/black_box.h"

namespace weir {

/// Why the process died, where, and how long each part of the recovery took so far. `run`: the one that died. No heap.
void tell_incident(const Incident& incident, const FlightRun& run, TextWriter& out);
/// As members of a JSON object.
void tell_incident_json(const Incident& incident, TextWriter& out);
/// "weir+0x1234", as addr2line takes it; the address alone where no file of code lay.
void append_code_place(const FlightRun& run, uint64_t address, TextWriter& out);

std::string black_box_text(const BlackBox& box);
std::string black_box_json(const BlackBox& box);

}  // namespace weir
