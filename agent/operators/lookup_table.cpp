#include "agent/operators/lookup_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "agent/base/hash.h"
#include "agent/base/utf8.h"
#include "agent/operators/hyperloglog.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

Schema joined(const Schema& keys, const Schema& added) {
  Schema schema = keys;
  for (const Field& field : added.fields()) schema.add(field);
  return schema;
}

uint64_t hash_of(std::span<const Value> key) {
  uint64_t hash = 0;
  for (const Value& value : key) hash = hash_chain(hash, distinct_hash(value));
  return hash;
}

template <class T>
bool read_number(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

}  // namespace

LookupTable::LookupTable(const Schema& keys, const Schema& added, uint32_t rows_max, Arena& arena, const std::string& pool)
    : key_count_(keys.size()), schema_(joined(keys, added)), row_(schema_), rows_max_(rows_max) {
  const std::string name = pool + ".table";
  const std::string reason =
      "2 x " + std::to_string(rows_max) + " rows x " + std::to_string(row_.bytes() + sizeof(Entry)) + " bytes";
  for (Rows* rows : {&rows_, &spare_}) {
    rows->bytes = arena.take<uint8_t>(size_t{rows_max} * row_.bytes(), name, reason);
    rows->entries = arena.take<Entry>(rows_max, name, "");
  }
  values_ = arena.take<Value>(schema_.size(), name, "");
  other_values_ = arena.take<Value>(schema_.size(), name, "");
}

LookupFault LookupTable::load(LookupFile& file) {
  spare_size_ = 0;
  LookupFault fault = file.read(*this);
  if (fault.text == nullptr) fault = index_spare();
  if (fault.text != nullptr) return fault;
  std::swap(rows_, spare_);
  size_ = spare_size_;
  return {};
}

LookupRows::Misfit LookupTable::on_row(std::span<const std::string_view> cells, uint32_t line) {
  if (spare_size_ == rows_max_) return {"there are more than max_rows rows", 0};
  for (size_t index = 0; index < cells.size(); ++index) {
    if (const char* wrong = parse(schema_[index], cells[index], values_[index]); wrong != nullptr) return {wrong, index};
    if (index < key_count_ && values_[index].is_null()) return {"the key is empty", index};
  }
  row_.put(spare_.bytes.data() + size_t{spare_size_} * row_.bytes(), values_);
  spare_.entries[spare_size_] = {hash_of(values_.first(key_count_)), spare_size_, line};
  ++spare_size_;
  return {};
}

/// An empty cell is null.
const char* LookupTable::parse(const Field& field, std::string_view text, Value& value) const {
  value = Value::null();
  if (text.empty()) return nullptr;
  int64_t integer = 0;
  double number = 0;
  switch (field.type) {
    case Type::Bool:
      if (text != "true" && text != "false") return "expected true or false";
      value = Value::of_bool(text == "true");
      return nullptr;
    case Type::Int:
    case Type::Time:
      if (!read_number(text, integer)) return "expected a whole number";
      value = field.type == Type::Int ? Value::of_int(integer) : Value::of_time(integer);
      return nullptr;
    case Type::Float:
      if (!read_number(text, number) || !std::isfinite(number)) return "expected a number";
      value = Value::of_float(number);
      return nullptr;
    default:
      if (text.size() > field.max_length) return "the text is longer than its field";
      if (!utf8_valid(text)) return "the text is not UTF-8";
      value = Value::of_string(text);
      return nullptr;
  }
}

LookupFault LookupTable::index_spare() {
  const std::span<Entry> entries = spare_.entries.first(spare_size_);
  std::ranges::sort(entries, [](const Entry& left, const Entry& right) {
    return left.hash != right.hash ? left.hash < right.hash : left.row < right.row;
  });
  for (size_t index = 0; index < entries.size(); ++index) {
    row_.get(spare_.bytes.data() + size_t{entries[index].row} * row_.bytes(), values_);
    for (size_t next = index + 1; next < entries.size() && entries[next].hash == entries[index].hash; ++next) {
      row_.get(spare_.bytes.data() + size_t{entries[next].row} * row_.bytes(), other_values_);
      bool same = true;
      for (size_t key = 0; key < key_count_; ++key) same = same && compare_values(values_[key], other_values_[key]) == 0;
      if (same) return {"an earlier line has the same key", entries[next].line, 1};
    }
  }
  return {};
}

bool LookupTable::find(std::span<const Value> key, std::span<Value> added) const {
  if (std::ranges::any_of(key, [](const Value& value) { return value.is_null(); })) return false;
  const uint64_t hash = hash_of(key);
  const std::span<const Entry> entries = rows_.entries.first(size_);
  for (auto entry = std::ranges::lower_bound(entries, hash, {}, &Entry::hash); entry != entries.end() && entry->hash == hash;
       ++entry) {
    row_.get(rows_.bytes.data() + size_t{entry->row} * row_.bytes(), values_);
    bool same = true;
    for (size_t index = 0; index < key_count_; ++index) same = same && compare_values(values_[index], key[index]) == 0;
    if (!same) continue;
    std::ranges::copy(values_.subspan(key_count_), added.begin());
    return true;
  }
  return false;
}

}  // namespace weir
