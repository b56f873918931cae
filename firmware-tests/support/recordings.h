// Other people's recordings (../shared/data), for tests: rows as cells, and times. Where the folder is absent a test reports
// itself skipped, by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::test {

/// The path of a recording, "nab/speed_t4013.csv".
std::string recording_path(const std::string& name);
/// False, and said with the name of the running test, where it is not at hand.
bool have_recording(const std::string& name);
/// Its rows without the header, cut at `separator`; nothing is unquoted.
std::vector<std::vector<std::string>> read_recording(const std::string& name, char separator = ',');

/// "2013-07-04 00:00:00" or "2016-02-28T19:57:02.364Z", both UTC: ms since 1970. Asserts that it is one.
int64_t recorded_time_ms(const std::string& text);

}  // namespace weir::test
