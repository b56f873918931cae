#include "firmware-tests/support/recordings.h"

#include <cstdio>
#include <ctime>
#include <sstream>

#include "agent/base/assert.h"
#include "firmware-tests/support/files.h"

#include <CppUTest/TestHarness.h>

namespace weir::test {

std::string recording_path(const std::string& name) { return WEIR_SOURCE_DIR "/../shared/data/" + name; }

bool have_recording(const std::string& name) {
  if (path_exists(recording_path(name))) return true;
  printf("SKIPPED %s: no %s\n", UtestShell::getCurrent()->getName().asCharString(), recording_path(name).c_str());
  return false;
}

std::vector<std::vector<std::string>> read_recording(const std::string& name, char separator) {
  std::istringstream file(read_whole_file(recording_path(name)));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, separator);) rows.back().push_back(cell);
  }
  return rows;
}

int64_t recorded_time_ms(const std::string& text) {
  tm parts{};
  int milliseconds = 0;
  const int read = sscanf(text.c_str(), "%d-%d-%d%*c%d:%d:%d.%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                          &parts.tm_min, &parts.tm_sec, &milliseconds);
  WEIR_ASSERT(read >= 6);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return int64_t{timegm(&parts)} * 1000 + milliseconds;
}

}  // namespace weir::test
