#include "agent/operators/value_cell.h"

#include <cmath>

#include "agent/model/state_layout.h"

namespace weir {

uint32_t ValueCell::bytes() const { return static_cast<uint32_t>(stored_value_bytes(type_, max_length_)); }

void ValueCell::put(uint8_t* at, const Value& value) const {
  WEIR_ASSERT(value.type() == type_);
  *at++ = 1;
  if (type_ == Type::Bool) {
    *at = value.as_bool() ? 1 : 0;
  } else if (type_ == Type::Float) {
    store(at, value.as_float());
  } else if (type_ == Type::String) {
    const std::string_view text = value.as_string();
    WEIR_ASSERT(text.size() <= max_length_);
    store(at, static_cast<uint16_t>(text.size()));
    // What is left of a longer text stays behind it: it is never read.
    if (!text.empty()) memcpy(at + 2, text.data(), text.size());
  } else {
    store(at, value.as_int());
  }
}

Value ValueCell::get(const uint8_t* at) const {
  if (!present(at)) return Value::null();
  ++at;
  switch (type_) {
    case Type::Bool:
      return Value::of_bool(*at != 0);
    case Type::Float:
      return Value::of_float(load<double>(at));
    case Type::String:
      return Value::of_string({reinterpret_cast<const char*>(at + 2), load<uint16_t>(at)});
    case Type::Time:
      return Value::of_time(load<int64_t>(at));
    default:
      return Value::of_int(load<int64_t>(at));
  }
}

bool ValueCell::valid(const uint8_t* at) const {
  if (*at > 1) return false;
  ++at;
  if (type_ == Type::Bool) return *at <= 1;
  if (type_ == Type::Float) return !std::isnan(load<double>(at));
  if (type_ == Type::String) return load<uint16_t>(at) <= max_length_;
  return true;
}

}  // namespace weir
