// The fences of a documentation page, for tests that run what stands in them.
#pragma once

#include <string>
#include <vector>

namespace weir::test {

struct Fence {
  std::string info;     // what stands behind the opening ticks: "toml", "json in"
  std::string text;     // its lines
  std::string section;  // the ### heading above
  int line = 0;         // of the opening ticks
  bool closed = false;
};

/// Of docs/PAGE, in their order.
std::vector<Fence> markdown_fences(const std::string& page);

}  // namespace weir::test
