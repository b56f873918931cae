// docs/aggregates.md promises bytes and results: each row of its table is read from the page and run.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "agent/operators/aggregate_functions.h"
#include "firmware-tests/support/aggregate_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

struct DocumentedRow {
  std::string call;
  std::string bytes;
  std::vector<std::pair<std::string, int64_t>> values;  // as written, and the event time in ms
  std::string result;
};

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" `");
  const size_t end = text.find_last_not_of(" `");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream input(text);
  for (std::string part; std::getline(input, part, separator);) parts.push_back(trimmed(part));
  return parts;
}

std::vector<DocumentedRow> documented_rows() {
  std::vector<DocumentedRow> rows;
  std::ifstream page(WEIR_SOURCE_DIR "/docs/aggregates.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string> cells = split(line, '|');
    WEIR_ASSERT(cells.size() == 5);
    DocumentedRow row{cells[1], cells[2], {}, cells[4]};
    for (const std::string& value : split(cells[3], ',')) {
      const std::vector<std::string> parts = split(value, '@');
      WEIR_ASSERT(parts.size() == 2 && parts[1].ends_with("s"));
      row.values.emplace_back(parts[0], 1000 * atoll(parts[1].c_str()));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Type type_of_written(const std::string& text) {
  if (text == "null") return Type::Null;
  if (text.starts_with("'")) return Type::String;
  return text.find('.') == std::string::npos ? Type::Int : Type::Float;
}

Value value_of_written(const std::string& text) {
  switch (type_of_written(text)) {
    case Type::Null:
      return Value();
    case Type::String:
      return Value::of_string(std::string_view(text).substr(1, text.size() - 2));
    case Type::Int:
      return Value::of_int(atoll(text.c_str()));
    default:
      return Value::of_float(atof(text.c_str()));
  }
}

}  // namespace

TEST_GROUP(AggregateDocs) { int unused = 0; };

TEST(AggregateDocs, every_row_takes_the_bytes_and_gives_the_result_that_the_page_states) {
  const std::vector<DocumentedRow> rows = documented_rows();
  CHECK(rows.size() >= aggregate_functions().size());
  for (const DocumentedRow& row : rows) {
    AggregateProbe probe(row.call, type_of_written(row.values.at(0).first), 8);
    for (const auto& [text, time_ms] : row.values) probe.add(value_of_written(text), time_ms);
    STRCMP_EQUAL_TEXT(row.result.c_str(), probe.result().c_str(), row.call.c_str());
    STRCMP_EQUAL_TEXT(row.bytes.c_str(), std::to_string(probe.aggregate().bytes()).c_str(), row.call.c_str());
  }
}

TEST(AggregateDocs, every_aggregate_has_a_row_and_a_paragraph) {
  std::set<std::string> documented;
  for (const DocumentedRow& row : documented_rows()) documented.insert(row.call.substr(0, row.call.find('(')));
  std::ifstream page(WEIR_SOURCE_DIR "/docs/aggregates.md");
  std::stringstream text;
  text << page.rdbuf();
  for (const AggregateFunction& function : aggregate_functions()) {
    CHECK_TEXT(documented.contains(function.name), function.name);
    CHECK_TEXT(text.str().find("**" + std::string(function.name) + "(x") != std::string::npos, function.name);
  }
}

TEST(AggregateDocs, every_usage_in_the_table_of_functions_compiles) {
  for (const AggregateFunction& function : aggregate_functions()) {
    CHECK(std::string(function.usage).starts_with(std::string(function.name) + "("));
    CHECK(std::string(function.summary).ends_with("."));
    AggregateProbe probe(function.usage, Type::Int);
    CHECK(probe.valid());
  }
}
