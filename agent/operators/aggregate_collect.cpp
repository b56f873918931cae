#include <algorithm>
#include <cstring>

#include "agent/base/bytes.h"
#include "agent/base/text_writer.h"
#include "agent/model/value_text.h"
#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// Bytes of a value as JSON, at most: the longest int, the longest of the shortest texts of a double, a text of which each byte
/// is escaped.
uint32_t json_bytes_max(Type type, uint32_t max_length) {
  switch (type) {
    case Type::Bool:
      return 5;
    case Type::Float:
      return 24;
    case Type::String:
      return 2 + 6 * max_length;
    default:
      return 20;
  }
}

/// The values of the earliest event times as a JSON array; of equal times the earlier arrival goes first. Accumulator: u16
/// values, u16 bytes of text, i64 event time of each value, u16 bytes of each value's text, the text. In the text each value
/// has one byte behind it, "," or "]", so that all are moved alike.
class Collect final : public Aggregate {
 public:
  Collect(Type type, uint32_t max_length, uint32_t values_max)
      : values_max_(values_max), text_max_(1 + values_max * (json_bytes_max(type, max_length) + 1)) {}
  Type type() const override { return Type::String; }
  uint32_t max_length() const override { return text_max_; }
  uint32_t bytes() const override { return text_at() + text_max_; }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    if (value.is_null()) return;
    char room[collect_text_max];
    TextWriter out{room};
    append_json(out, value);
    insert(at, as_bytes(out.text()), event_time_ms);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    const uint8_t* text = from + text_at() + 1;
    for (uint32_t index = 0; index < count(from); ++index) {
      insert(into, {text, length(from, index)}, time_ms(from, index));
      text += length(from, index) + 1;
    }
  }
  Value result(const uint8_t* at) const override {
    if (count(at) == 0) return Value::null();
    return Value::of_string(as_text({at + text_at(), text_length(at)}));
  }
  bool valid(const uint8_t* at) const override {
    if (count(at) > values_max_ || text_length(at) > text_max_) return false;
    uint32_t end = count(at) == 0 ? 0 : 1;
    for (uint32_t index = 0; index < count(at); ++index) {
      end += length(at, index) + 1U;
      if (end > text_length(at)) return false;
      if (index > 0 && time_ms(at, index) < time_ms(at, index - 1)) return false;
      const uint8_t expected = index + 1U == count(at) ? uint8_t{']'} : uint8_t{','};
      if (at[text_at() + end - 1] != expected) return false;
    }
    return end == text_length(at) && (end == 0 || at[text_at()] == '[');
  }

 private:
  static constexpr uint32_t text_length_at = sizeof(uint16_t);
  static constexpr uint32_t times_at = 2 * sizeof(uint16_t);

  uint32_t lengths_at() const { return times_at + values_max_ * static_cast<uint32_t>(sizeof(int64_t)); }
  uint32_t text_at() const { return lengths_at() + values_max_ * static_cast<uint32_t>(sizeof(uint16_t)); }
  static uint16_t count(const uint8_t* at) { return load<uint16_t>(at); }
  static uint16_t text_length(const uint8_t* at) { return load<uint16_t>(at + text_length_at); }
  static int64_t time_ms(const uint8_t* at, uint32_t index) { return load<int64_t>(at + times_at + index * sizeof(int64_t)); }
  uint16_t length(const uint8_t* at, uint32_t index) const {
    return load<uint16_t>(at + lengths_at() + index * sizeof(uint16_t));
  }
  static void set_sizes(uint8_t* at, uint32_t values, uint32_t text_bytes) {
    store(at, static_cast<uint16_t>(values));
    store(at + text_length_at, static_cast<uint16_t>(text_bytes));
  }

  void insert(uint8_t* at, Bytes value, int64_t event_time_ms) const {
    uint32_t place = count(at);
    while (place > 0 && time_ms(at, place - 1) > event_time_ms) --place;
    if (place == values_max_) return;
    if (count(at) == values_max_) drop_last(at);
    open_gap(at, place, static_cast<uint32_t>(value.size()));
    store(at + times_at + place * sizeof(int64_t), event_time_ms);
    store(at + lengths_at() + place * sizeof(uint16_t), static_cast<uint16_t>(value.size()));
    memcpy(at + text_begin(at, place), value.data(), value.size());
    close_text(at);
  }
  void drop_last(uint8_t* at) const {
    const uint32_t last = count(at) - 1U;
    set_sizes(at, last, text_length(at) - (length(at, last) + 1U));
  }
  /// Where the text of a value begins, in the accumulator.
  uint32_t text_begin(const uint8_t* at, uint32_t place) const {
    uint32_t begin = text_at() + 1;
    for (uint32_t index = 0; index < place; ++index) begin += length(at, index) + 1U;
    return begin;
  }
  /// Moves what stands from `place` on, and counts the new value.
  void open_gap(uint8_t* at, uint32_t place, uint32_t value_bytes) const {
    const uint32_t values = count(at);
    const uint32_t text_bytes = std::max<uint32_t>(1, text_length(at));
    const uint32_t begin = text_begin(at, place);
    memmove(at + begin + value_bytes + 1, at + begin, text_at() + text_bytes - begin);
    move_up<int64_t>(at + times_at, place, values);
    move_up<uint16_t>(at + lengths_at(), place, values);
    set_sizes(at, values + 1, text_bytes + value_bytes + 1);
  }
  template <class Element>
  static void move_up(uint8_t* array, uint32_t place, uint32_t values) {
    memmove(array + (place + 1) * sizeof(Element), array + place * sizeof(Element), (values - place) * sizeof(Element));
  }
  /// Puts the bracket in front and the commas and the bracket behind the values.
  void close_text(uint8_t* at) const {
    uint32_t end = text_at();
    at[end] = '[';
    for (uint32_t index = 0; index < count(at); ++index) at[end += length(at, index) + 1U] = ',';
    at[end] = ']';
  }

  uint32_t values_max_;
  uint32_t text_max_;
};

}  // namespace

AggregatePointer make_collect(Type argument, uint32_t max_length, uint32_t values_max) {
  return std::make_unique<Collect>(argument, max_length, values_max);
}

}  // namespace weir
