// A sink's topic: text with {field} in it. Braces cannot be part of the topic itself.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

struct TemplateProblem {
  const char* message = nullptr;  // nullptr: the template is good
  size_t offset = 0;              // bytes
  size_t length = 1;              // bytes
};

/// Checks the form: braces in pairs around a name, no wildcards outside of them. Which fields there are, the planner knows.
TemplateProblem check_template(std::string_view topic);

}  // namespace weir
