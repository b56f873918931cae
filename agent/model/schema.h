// Schema: the names and types of a record's values, in order. Built while the agent starts, then read only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/value.h"

namespace weir {

/// The length that a string field has if the configuration names none, in bytes of UTF-8.
constexpr uint32_t default_string_length = 64;
/// Fields a record may have; a configuration with more is refused.
constexpr size_t fields_max = 64;

struct Field {
  std::string name;
  Type type = Type::Null;
  uint32_t max_length = 0;  // bytes, for strings; 0 otherwise
  bool clock = false;       // records with different values of this field have clocks of their own (event_time.per)
  bool operator==(const Field&) const = default;
};

class Schema {
 public:
  /// The position of `name`, or -1.
  int find(std::string_view name) const {
    for (size_t index = 0; index < fields_.size(); ++index)
      if (fields_[index].name == name) return static_cast<int>(index);
    return -1;
  }
  /// Adds at the end. Requires that the name is new.
  void add(Field field) {
    WEIR_ASSERT(find(field.name) < 0);
    fields_.push_back(std::move(field));
  }
  size_t size() const { return fields_.size(); }
  const Field& operator[](size_t index) const { return fields_[index]; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

}  // namespace weir
