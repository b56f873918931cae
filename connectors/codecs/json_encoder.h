// JsonEncoder: a record to one JSON object, the fields in the order of the schema. Made at start by the planner, lives as long
// as its pipeline, reactor thread only, no heap per record.
//
// null is null; a float is the shortest text that reads back as the same double, so that 3.0 prints as 3 (from 2^53 on with an
// exponent); a float that is not finite is null; a time is a whole number of milliseconds since 1970-01-01 UTC.
#pragma once

#include <string>
#include <vector>

#include "agent/model/codec.h"

namespace weir {

class JsonEncoder final : public Encoder {
 public:
  /// Bytes of an id in text: 128 bits in hexadecimal digits.
  static constexpr size_t id_bytes_max = 32;

  /// `id_field` names the member that repeats a result's id; empty: none. Requires that the schema has no such field.
  explicit JsonEncoder(const Schema& schema, std::string_view id_field = {});

  /// Reached by a record whose every value is as long as its type allows, id included.
  size_t payload_bytes_max() const override { return payload_bytes_max_; }

  /// Requires values of the schema's types (or null), strings no longer than their field's max_length.
  void encode(const Record& record, TextWriter& out) override;
  /// As encode, with `id_text` in the id field, if there is one. Requires at most id_bytes_max characters that JSON does not
  /// escape.
  void encode_with_id(const Record& record, std::string_view id_text, TextWriter& out);

 private:
  void append_fields(const Record& record, TextWriter& out);

  std::vector<std::string> prefixes_;  // what stands before each value: `{"a":`, `,"b":`; empty: a hidden field
  bool no_members_ = true;
  std::string id_prefix_;  // empty: no id field
  size_t payload_bytes_max_ = 0;
};

}  // namespace weir
