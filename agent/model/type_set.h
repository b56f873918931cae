// TypeSet: which types an argument or a field may have. A plain value.
#pragma once

#include <string>

#include "agent/model/value.h"

namespace weir {

class TypeSet {
 public:
  constexpr TypeSet() = default;
  constexpr TypeSet(Type type) : bits_(1U << static_cast<unsigned>(type)) {}  // NOLINT(google-explicit-constructor)
  constexpr TypeSet operator|(TypeSet other) const {
    TypeSet both;
    both.bits_ = bits_ | other.bits_;
    return both;
  }
  constexpr bool contains(Type type) const { return (bits_ & TypeSet(type).bits_) != 0; }
  /// "int, float or time".
  std::string text() const;

 private:
  unsigned bits_ = 0;
};

constexpr TypeSet number_types = TypeSet(Type::Int) | Type::Float;
constexpr TypeSet ordered_types = number_types | Type::String | Type::Time;
constexpr TypeSet all_types = ordered_types | Type::Bool;

}  // namespace weir
