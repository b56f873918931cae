// StateLayout: what the stored bytes of a part's state are: their fields, one behind the other, with names, types and sizes,
// and what gives them their meaning (the length of a window, the field that is watched). A keyed step describes itself with it;
// its text is stored beside the checkpoints, so that a later configuration, and a later weir, can compare field by field, take
// over what still fits, and show to people what is stored without knowing the step. Plain values; start-up and commands only.
//
// A slot of keyed state is the fields and then the key, as KeyCodec writes it. A part that does not describe itself has a
// layout of nothing but its kind.
//
// The text is one line per field: words apart by blanks, in quotes where they are more than letters, digits and . _ - ( ) ?.
//   deadband                         the kind
//   shape field temperature          what has to be the same
//   key device string(16)            in the order of the key's bytes
//   own u32 slots                    of the part's own blob, as far as its fields are fixed
//   u64 sequence                     flag, i8 … i64, u8 … u64, f32, f64, time (i64, ms since 1970), bytes(N)
//   string(16)? text                 a ValueCell, which may hold nothing: bool? int? float? string(N)? time?
//   aggregate(32) mean "avg float" "avg(value)"     an accumulator: who makes it, and the call with its filter
//   argument mean float "avg(value)" u8 whether it counts, then a cell; "null": no cell
//   record held … end                cells of a record's fields, which may come and go
//   list sessions 4 open … end       four times what stands between; the field "open" before it says how many are in use
//   ring samples 10 … end            the same, in a ring: u16 oldest and u16 count stand before it
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/status.h"
#include "agent/model/schema.h"

namespace weir {

/// Bytes of a value with its mark of presence: a ValueCell, and the most that it takes in a key.
uint64_t stored_value_bytes(Type type, uint32_t max_length);

enum class StoredKind : uint8_t { Flag, Signed, Unsigned, Real, Time, Cell, Raw, Aggregate, Argument, Record, List, Ring };

struct StoredField;

/// What calls a function of these that adds is cold with it: compiled for size.
class StoredFields {
 public:
  [[gnu::cold]] void add_flag(std::string_view name);
  [[gnu::cold]] void add_signed(uint32_t bytes, std::string_view name);
  [[gnu::cold]] void add_unsigned(uint32_t bytes, std::string_view name);
  [[gnu::cold]] void add_real(uint32_t bytes, std::string_view name);
  [[gnu::cold]] void add_time(std::string_view name);
  void add_i64(std::string_view name) { add_signed(8, name); }
  void add_u8(std::string_view name) { add_unsigned(1, name); }
  void add_u16(std::string_view name) { add_unsigned(2, name); }
  void add_u32(std::string_view name) { add_unsigned(4, name); }
  void add_u64(std::string_view name) { add_unsigned(8, name); }
  void add_f64(std::string_view name) { add_real(8, name); }
  [[gnu::cold]] void add_cell(std::string_view name, Type type, uint32_t max_length);
  /// `text` says what they mean and has to be the same.
  [[gnu::cold]] void add_bytes(uint32_t bytes, std::string_view name, std::string_view text = {});
  [[gnu::cold]] void add_aggregate(uint32_t bytes, std::string_view name, std::string_view made_by, std::string_view call);
  [[gnu::cold]] void add_argument(std::string_view name, Type type, uint32_t max_length, std::string_view call);
  /// A RowCell.
  [[gnu::cold]] void add_record(std::string_view name, const Schema& schema);
  /// What they return is good until the next field is added.
  [[gnu::cold]] StoredFields& add_list(std::string_view name, uint32_t count, std::string_view counter = {});
  [[gnu::cold]] StoredFields& add_ring(std::string_view name, uint32_t count);

  void append(const StoredFields& more);

  uint64_t bytes() const;
  size_t size() const;
  bool empty() const { return size() == 0; }
  const StoredField& operator[](size_t index) const;
  /// The position of `name`, or -1.
  int find(std::string_view name) const;
  /// Where the field at `index` begins.
  uint64_t at(size_t index) const;
  const std::vector<StoredField>& all() const { return fields_; }

 private:
  friend class LayoutReader;
  [[gnu::cold]] StoredField& add(StoredKind kind, uint32_t bytes, std::string_view name);

  std::vector<StoredField> fields_;
};

struct StoredField {
  StoredKind kind = StoredKind::Raw;
  std::string name;
  uint32_t size = 0;        // bytes of a number, of raw bytes, of an accumulator
  Type type = Type::Null;   // of a Cell and an Argument
  uint32_t max_length = 0;  // of a text
  uint32_t count = 0;       // of a List and a Ring
  std::string made_by;      // of an Aggregate
  std::string text;         // a call; what raw bytes mean; of a List the name of its counter
  StoredFields fields;      // of a Record, a List, a Ring

  uint64_t bytes() const;
};

struct StateLayout {
  using Shape = std::pair<std::string, std::string>;

  std::string kind;
  std::vector<Shape> shape;
  std::vector<Field> key;
  StoredFields own;
  StoredFields fields;

  [[gnu::cold]] void add_shape(std::string_view name, std::string_view value);
  [[gnu::cold]] void add_shape(std::string_view name, int64_t value);
  /// Of a slot, with the longest key.
  uint64_t slot_bytes() const;

  std::string text() const;
  /// Code::Corrupt if it is no such text, or describes more than a slot can hold.
  static Result<StateLayout> parse(std::string_view text);
};

}  // namespace weir
