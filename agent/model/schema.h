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
  /// Of the topic that the record's message came by, counted from 0; -1: the value is something else.
  int32_t topic_segment = -1;
  /// Made for topic(n) in expressions: has no name by which it could be read, and is not part of what leaves the pipeline.
  bool hidden = false;
  bool operator==(const Field&) const = default;
};

class Schema {
 public:
  /// The position of `name`, or -1. Hidden fields are not found.
  int find(std::string_view name) const {
    for (size_t index = 0; index < fields_.size(); ++index)
      if (fields_[index].name == name && !fields_[index].hidden) return static_cast<int>(index);
    return -1;
  }
  /// The position of a field that holds this segment of the topic, hidden or not, or -1.
  int find_topic_segment(int64_t segment) const {
    for (size_t index = 0; index < fields_.size(); ++index)
      if (fields_[index].topic_segment >= 0 && fields_[index].topic_segment == segment) return static_cast<int>(index);
    return -1;
  }
  /// Adds at the end. Requires that the name is new; that of a hidden field need not be.
  void add(Field field) {
    WEIR_ASSERT(field.hidden || find(field.name) < 0);
    fields_.push_back(std::move(field));
  }
  size_t size() const { return fields_.size(); }
  const Field& operator[](size_t index) const { return fields_[index]; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

}  // namespace weir
