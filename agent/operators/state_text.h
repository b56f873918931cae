// Stored keyed state as text for people and other programs, by nothing but its layout: the fields of the key, then those of the
// state by their names. Accumulators are shown as what the aggregate would yield now. For commands: uses the heap.
#pragma once

#include <string>

#include "agent/base/bytes.h"
#include "agent/model/state_layout.h"

namespace weir {

/// {"key":{"device":"a"},"state":{"n":3,…}}. A time is its milliseconds since 1970, null if it is none; raw bytes are
/// hexadecimal digits; of lists and rings those that are in use, the oldest first. Code::Corrupt if the bytes are no such slot.
Status append_state_json(const StateLayout& layout, Bytes slot, std::string& out);
/// "device,n,…": the names of the columns, those of the key first.
std::string state_csv_header(const StateLayout& layout);
/// A line without its end. What is more than one value is its JSON.
Status append_state_csv(const StateLayout& layout, Bytes slot, std::string& out);
/// The part's own blob, {"watermark":…,"slots":…}, as far as its fields are described.
void append_own_json(const StateLayout& layout, Bytes own, std::string& out);

}  // namespace weir
