// Records of the documentation's standard source in short, and results as short: "a 20.5 1000" stands for
// {"device":"a","value":20.5,"ts":1000}. For tests that feed many.
#pragma once

#include <sstream>
#include <string>

#include "firmware-tests/support/step_rig.h"

namespace weir::test {

/// "a 1 0, b null 500": device, value and event time of records, in their order.
inline void feed_rows(StepRig& rig, const std::string& rows) {
  std::istringstream all(rows);
  for (std::string row; std::getline(all, row, ',');) {
    std::istringstream words(row);
    std::string device, value, time;
    words >> device >> value >> time;
    rig.feed("{\"device\":\"" + device + "\",\"value\":" + value + ",\"ts\":" + time + "}");
  }
}

/// The results since the last call without their fields' names: "a 1 0, b null 500".
inline std::string take_rows(StepRig& rig) {
  std::istringstream all(rig.take_output());
  std::string rows;
  for (std::string line; std::getline(all, line);) {
    std::string row;
    bool quoted = false, in_name = line[0] == '{';
    for (char character : line) {
      if (character == '"') {
        quoted = !quoted;
      } else if (!quoted && (character == '{' || character == ',')) {
        in_name = true;
        if (character == ',') row += ' ';
      } else if (!quoted && character == ':') {
        in_name = false;
      } else if (!in_name && (quoted || character != '}')) {
        row += character;
      }
    }
    rows += (rows.empty() ? "" : ", ") + row;
  }
  return rows;
}

}  // namespace weir::test
