#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "agent/app/replay_input.h"
#include "connectors/file/csv_rows.h"
#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/unit/json_fixture.h"

namespace weir::fuzz {
namespace {

void read_rows(Bytes input) {
  std::vector<char> text(input.begin(), input.end());
  CsvRows rows(text);
  std::array<CsvCell, 4> cells;
  size_t count = 0;
  uint64_t line = 0;
  while (rows.next(cells, count)) {
    WEIR_ASSERT(count >= 1 && rows.line() > line);
    line = rows.line();
    for (size_t index = 0; index < std::min(count, cells.size()); ++index)
      WEIR_ASSERT(cells[index].text.size() <= input.size());
  }
}

void read_recording(Bytes input, bool csv) {
  static const std::vector<SourceField> fields = {json_test::field("device", Type::String), json_test::field("t", Type::Float)};
  static json_test::Decoding decoding(fields, 1 << 16);
  std::istringstream stream{std::string(as_text(input))};
  ReplayInput recording(stream, csv, "replay", fields);
  while (recording.next()) {
    WEIR_ASSERT(!recording.topic().empty());
    // A row of a table is an object whatever its cells hold.
    if (csv && recording.payload().size() < 1 << 16)
      WEIR_ASSERT(decoding.accepts(recording.payload()) || decoding.reason() != "json");
  }
}

}  // namespace

void table(Bytes input) {
  read_rows(input);
  read_recording(input, true);
  read_recording(input, false);
}

}  // namespace weir::fuzz
