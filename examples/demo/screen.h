// Screen: what the demo prints, line by line. Colour on a terminal only. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/demo/reference.h"
#include "firmware-tests/support/observed_status.h"

namespace weir {

class Screen {
 public:
  Screen();

  /// False once nobody reads any more.
  bool open() const;

  void title(const std::string& text);
  /// "  label     text"
  void note(const std::string& label, const std::string& text);
  void warn(const std::string& label, const std::string& text);
  /// One line: what became of every message so far.
  void account(int64_t elapsed_ms, const ObservedPipeline& pipeline);
  /// The first few of them, and how many more there are.
  void alerts(const std::vector<Alert>& alerts);
  void comparison_title();
  /// What the sensors know against what the agent says; returns whether both are equal.
  bool compare(const char* what, uint64_t expected, uint64_t found, const std::string& remark = {});
  void verdict(bool good, const std::string& text);

 private:
  void line(const char* colour, const std::string& text);

  bool coloured_;
};

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text_of(const char* format, ...);

}  // namespace weir
