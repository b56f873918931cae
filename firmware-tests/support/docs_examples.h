// The examples of a documentation page: a ```toml fence with steps, then ```json in and ```json out; in front of them a ```csv
// fence is the file devices.csv that a step reads.
#pragma once

#include <string>
#include <vector>

namespace weir::test {

struct DocsExample {
  std::string page;
  int line = 0;         // of the toml fence
  std::string section;  // the ### heading above
  std::string csv, toml, input, output;
  std::string name() const { return page + ":" + std::to_string(line) + " (" + section + ")"; }
};

/// Of docs/PAGE. A toml fence that no input follows is no example.
std::vector<DocsExample> docs_examples(const std::string& page);

/// The pages that have examples.
constexpr const char* example_pages[] = {"steps.md", "windows.md", "aggregates.md", "event-time.md", "recipes.md"};

}  // namespace weir::test
