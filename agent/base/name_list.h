// NameList: names in one text, apart by blanks, as a build option hands them over. A view of the text; usable while compiling.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

class NameList {
 public:
  constexpr explicit NameList(std::string_view text) : text_(text) {}

  constexpr bool has(std::string_view name) const {
    for (std::string_view rest = text_; !rest.empty();)
      if (next(rest) == name && !name.empty()) return true;
    return false;
  }

  /// Whether each name is one for which `known(name)` holds.
  template <class Known>
  constexpr bool all(Known known) const {
    for (std::string_view rest = text_; !rest.empty();) {
      const std::string_view name = next(rest);
      if (!name.empty() && !known(name)) return false;
    }
    return true;
  }

 private:
  /// Cuts the first name off, which is empty where two blanks stand side by side.
  static constexpr std::string_view next(std::string_view& rest) {
    const size_t end = rest.find(' ');
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return name;
  }

  std::string_view text_;
};

}  // namespace weir
