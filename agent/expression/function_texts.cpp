// Functions of texts, and conversions. Positions count characters, and a result begins and ends at characters, so that texts
// in UTF-8 stay such. What is cut out of an argument is a view of it; only new text is written, into the call's own room.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "agent/base/civil_time.h"
#include "agent/base/hash.h"
#include "agent/base/text_writer.h"
#include "agent/expression/arithmetic.h"
#include "agent/expression/ascii.h"
#include "agent/expression/function_calls.h"
#include "agent/expression/wildcard.h"

namespace weir::calls {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

int64_t characters(std::string_view text) { return std::count_if(text.begin(), text.end(), begins_character); }

/// The byte at which the character number `count` begins; the end if there are not that many.
size_t skip(std::string_view text, int64_t count) {
  size_t at = 0;
  while (at < text.size() && count > 0) {
    at = next_character(text, at);
    --count;
  }
  return at;
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// What was written, or null if it did not fit: a field that is longer than was declared.
Value written(const TextWriter& out) { return out.overflowed() ? Value::null() : Value::of_string(out.text()); }

Value with_each(Arguments arguments, const CallAid& aid, char (*function)(char)) {
  const std::string_view text = arguments[0].as_string();
  if (text.size() > aid.room.size()) return Value::null();
  std::transform(text.begin(), text.end(), aid.room.begin(), function);
  return Value::of_string({aid.room.data(), text.size()});
}

/// 2023-11-14T22:13:20.000Z
Value time_text(int64_t utc_ms, TextWriter& out) {
  if (utc_ms < civil_min_ms || utc_ms > civil_max_ms) return Value::null();
  const CivilTime t = civil_of(utc_ms);
  out.printf("%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", t.year, t.month, t.day, t.hour, t.minute, t.second, t.millisecond);
  return written(out);
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

size_t count_parts(std::string_view text, std::string_view separator) {
  size_t parts = 1;
  for (size_t at = text.find(separator); at != text.npos; at = text.find(separator, at + separator.size())) ++parts;
  return parts;
}

}  // namespace

Value length(Arguments arguments) { return Value::of_int(characters(arguments[0].as_string())); }

Value trim(Arguments arguments) {
  std::string_view text = arguments[0].as_string();
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return Value::of_string(text);
}

Value substr(Arguments arguments) {
  std::string_view text = arguments[0].as_string();
  int64_t begin = arguments[1].as_int();
  if (begin < 0) begin = std::max<int64_t>(0, begin + characters(text));
  text.remove_prefix(skip(text, begin));
  if (arguments.size() == 2) return Value::of_string(text);
  const int64_t count = arguments[2].as_int();
  return count < 0 ? Value::null() : Value::of_string(text.substr(0, skip(text, count)));
}

Value contains(Arguments arguments) {
  return Value::of_bool(arguments[0].as_string().find(arguments[1].as_string()) != std::string_view::npos);
}

Value starts_with(Arguments arguments) {
  return Value::of_bool(arguments[0].as_string().starts_with(arguments[1].as_string()));
}

Value ends_with(Arguments arguments) { return Value::of_bool(arguments[0].as_string().ends_with(arguments[1].as_string())); }

Value split_part(Arguments arguments) {
  std::string_view text = arguments[0].as_string();
  const std::string_view separator = arguments[1].as_string();
  const int64_t parts = separator.empty() ? 1 : static_cast<int64_t>(count_parts(text, separator));
  int64_t wanted = arguments[2].as_int();
  if (wanted < 0) wanted += parts;
  if (wanted < 0 || wanted >= parts) return Value::null();
  for (; wanted > 0; --wanted) text.remove_prefix(text.find(separator) + separator.size());
  return Value::of_string(separator.empty() ? text : text.substr(0, text.find(separator)));
}

Value matches(Arguments arguments) { return Value::of_bool(glob_matches(arguments[0].as_string(), arguments[1].as_string())); }

/// XXH3 over the bytes of each value, seeded by what came before and the value's type, without the lowest bit: so it is not
/// negative, and a remainder of it is none either.
Value hash(Arguments arguments) {
  uint64_t hash = 0;
  for (Value value : arguments) {
    const uint64_t seed = hash + static_cast<uint8_t>(value.type());
    int64_t number = 0;
    double real = 0;
    switch (value.type()) {
      case Type::String:
        hash = hash64(as_bytes(value.as_string()), seed);
        continue;
      case Type::Float:
        real = value.as_float() + 0.0;  // -0 is equal to 0
        hash = hash64({reinterpret_cast<const uint8_t*>(&real), sizeof real}, seed);
        continue;
      case Type::Bool:
        number = value.as_bool() ? 1 : 0;
        break;
      default:
        number = value.as_int();
    }
    hash = hash64({reinterpret_cast<const uint8_t*>(&number), sizeof number}, seed);
  }
  return Value::of_int(static_cast<int64_t>(hash >> 1));
}

Value to_int(Arguments arguments) {
  const Value value = arguments[0];
  int64_t number = 0;
  switch (value.type()) {
    case Type::Bool:
      return Value::of_int(value.as_bool() ? 1 : 0);
    case Type::Float:
      if (!(value.as_float() >= -0x1p63 && value.as_float() < 0x1p63)) return Value::null();
      return Value::of_int(static_cast<int64_t>(value.as_float()));
    case Type::String:
      return parse_whole(value.as_string(), number) ? Value::of_int(number) : Value::null();
    default:
      return Value::of_int(value.as_int());
  }
}

Value to_float(Arguments arguments) {
  const Value value = arguments[0];
  double number = 0;
  switch (value.type()) {
    case Type::Bool:
      return Value::of_float(value.as_bool() ? 1 : 0);
    case Type::Float:
      return value;
    case Type::String:
      return parse_whole(value.as_string(), number) ? finite_or_null(Value::of_float(number)) : Value::null();
    default:
      return Value::of_float(static_cast<double>(value.as_int()));
  }
}

Value to_bool(Arguments arguments) {
  const Value value = arguments[0];
  switch (value.type()) {
    case Type::Int:
      return Value::of_bool(value.as_int() != 0);
    case Type::Float:
      return Value::of_bool(value.as_float() != 0);
    case Type::String:
      if (value.as_string() == "true" || value.as_string() == "false") return Value::of_bool(value.as_string() == "true");
      return Value::null();
    default:
      return value;
  }
}

Value lower(Arguments arguments, const CallAid& aid) { return with_each(arguments, aid, ascii_lower); }
Value upper(Arguments arguments, const CallAid& aid) { return with_each(arguments, aid, ascii_upper); }

Value concat(Arguments arguments, const CallAid& aid) {
  TextWriter out(aid.room);
  for (Value value : arguments) out.append(value.as_string());
  return written(out);
}

Value replace(Arguments arguments, const CallAid& aid) {
  std::string_view text = arguments[0].as_string();
  const std::string_view from = arguments[1].as_string();
  if (from.empty()) return arguments[0];
  TextWriter out(aid.room);
  for (size_t at = text.find(from); at != text.npos; at = text.find(from)) {
    out.append(text.substr(0, at)).append(arguments[2].as_string());
    text.remove_prefix(at + from.size());
  }
  return written(out.append(text));
}

Value to_string(Arguments arguments, const CallAid& aid) {
  const Value value = arguments[0];
  TextWriter out(aid.room);
  switch (value.type()) {
    case Type::String:
      return value;
    case Type::Bool:
      return Value::of_string(value.as_bool() ? "true" : "false");
    case Type::Float:
      return written(out.append_double(value.as_float()));
    case Type::Time:
      return time_text(value.as_int(), out);
    default:
      return written(out.append_int(value.as_int()));
  }
}

uint64_t room_of_first(std::span<const TextBound> arguments) { return arguments[0].max; }

uint64_t room_of_all(std::span<const TextBound> arguments) {
  uint64_t sum = 0;
  for (const TextBound& argument : arguments) sum += argument.max;
  return sum;
}

/// Each occurrence has at least one byte; where what is looked for is a literal, as many as that. What is left over stays.
uint64_t room_of_replace(std::span<const TextBound> arguments) {
  const uint64_t from = std::max<uint64_t>(1, arguments[1].min);
  const uint64_t occurrences = arguments[0].max / from;
  return std::max(arguments[0].max, occurrences * arguments[2].max + arguments[0].max % from);
}

}  // namespace weir::calls
