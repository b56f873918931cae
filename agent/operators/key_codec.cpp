#include "agent/operators/key_codec.h"

#include <cmath>

#include "agent/model/state_layout.h"
#include "agent/model/value_text.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

constexpr uint8_t is_null = 0;
constexpr uint8_t is_value = 1;

void put_value(ByteWriter& out, const Field& field, const Value& value) {
  // NaN has no place in an order. No decoder and no expression yields it; if one did it would be no value here either.
  if (value.is_null() || (field.type == Type::Float && std::isnan(value.as_float()))) return out.put(is_null);
  out.put(is_value);
  switch (field.type) {
    case Type::Bool:
      return out.put(static_cast<uint8_t>(value.as_bool()));
    case Type::Float:
      return out.put(value.as_float() == 0 ? 0.0 : value.as_float());
    case Type::String:
      out.put(static_cast<uint16_t>(value.as_string().size()));
      return out.put_bytes(as_bytes(value.as_string()));
    default:
      return out.put(value.as_int());
  }
}

bool get_value(ByteReader& in, const Field& field, Value& value) {
  const auto presence = in.get<uint8_t>();
  if (presence == is_null) {
    value = Value::null();
    return in.ok();
  }
  if (presence != is_value) return false;
  switch (field.type) {
    case Type::Bool: {
      const auto truth = in.get<uint8_t>();
      value = Value::of_bool(truth != 0);
      return in.ok() && truth <= 1;
    }
    case Type::Float: {
      const auto number = in.get<double>();
      value = Value::of_float(number);
      return in.ok() && !std::isnan(number);
    }
    case Type::String: {
      const auto length = in.get<uint16_t>();
      value = Value::of_string(as_text(in.get_bytes(length)));
      return in.ok() && length <= field.max_length;
    }
    case Type::Time:
      value = Value::of_time(in.get<int64_t>());
      return in.ok();
    default:
      value = Value::of_int(in.get<int64_t>());
      return in.ok();
  }
}

}  // namespace

KeyCodec::KeyCodec(const Schema& input, std::vector<uint32_t> positions) : positions_(std::move(positions)) {
  for (uint32_t position : positions_) {
    WEIR_ASSERT(position < input.size());
    fields_.push_back(input[position]);
    bytes_max_ += stored_value_bytes(fields_.back().type, fields_.back().max_length);
  }
}

Bytes KeyCodec::encode(std::span<const Value> values, std::span<uint8_t> room) const {
  ByteWriter out(room);
  for (size_t index = 0; index < fields_.size(); ++index) put_value(out, fields_[index], values[positions_[index]]);
  WEIR_ASSERT(!out.overflowed());
  return out.bytes();
}

bool KeyCodec::decode(Bytes key, std::span<Value> values) const {
  ByteReader in(key);
  for (size_t index = 0; index < fields_.size(); ++index)
    if (!get_value(in, fields_[index], values[index])) return false;
  return in.at_end();
}

int KeyCodec::compare(Bytes left, Bytes right) const {
  ByteReader left_in(left);
  ByteReader right_in(right);
  for (const Field& field : fields_) {
    Value left_value;
    Value right_value;
    const bool readable = get_value(left_in, field, left_value) && get_value(right_in, field, right_value);
    WEIR_ASSERT(readable);
    if (left_value.is_null() || right_value.is_null()) {
      if (left_value.is_null() != right_value.is_null()) return left_value.is_null() ? -1 : 1;
    } else if (int order = compare_values(left_value, right_value); order != 0) {
      return order;
    }
  }
  return 0;
}

void KeyCodec::describe(std::span<const Value> key, TextWriter& out) const {
  for (size_t index = 0; index < size(); ++index) {
    out.append(index == 0 ? "" : ", ").append(fields_[index].name).append(" = ");
    append_json(out, key[index]);
  }
}

void KeyCodec::describe_no_room(std::string_view id, uint64_t max_keys, std::string_view are_what,
                                std::span<const Value> values, TextWriter& out) const {
  out.append("step ").append(id).append(": all max_keys = ").append_uint(max_keys);
  out.append(" keys ").append(are_what).append("; no room for ");
  for (size_t index = 0; index < size(); ++index) {
    out.append(index == 0 ? "" : ", ").append(fields_[index].name).append(" = ");
    append_json(out, values[positions_[index]]);
  }
  if (size() == 0) out.append("another one");
}

}  // namespace weir
