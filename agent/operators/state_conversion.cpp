#include "agent/operators/state_conversion.h"

#include <algorithm>
#include <cstring>

#include "agent/operators/key_codec.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// Every whole number up to this is a double.
constexpr int64_t exact_max = int64_t{1} << 53;

Status inexact() { return {Code::Incompatible, "a stored whole number is too large to be a float exactly"}; }
Status too_many() { return {Code::Incompatible, "more is stored of a key than the configuration has room for"}; }

bool is_exact(int64_t number) { return number >= -exact_max && number <= exact_max; }

/// Aggregates that take every number as a float, so that an accumulator of ints is one of floats.
bool takes_floats(std::string_view function) {
  constexpr std::string_view functions[] = {"avg",    "stddev",     "stddev_pop",        "variance", "var_pop",
                                            "median", "percentile", "time_weighted_avg", "slope"};
  return std::ranges::find(functions, function) != std::end(functions);
}

bool same_aggregate(const StoredField& from, const StoredField& to) {
  if (from.text != to.text || from.size != to.size) return false;
  if (from.made_by == to.made_by) return true;
  const std::string_view function = std::string_view(from.made_by).substr(0, from.made_by.find(' '));
  auto rest = [&](const StoredField& field, std::string_view type) {
    const std::string begin = std::string(function) + " " + std::string(type);
    return field.made_by.starts_with(begin) ? field.made_by.substr(begin.size()) : std::string("?");
  };
  return takes_floats(function) && rest(from, "int") == rest(to, "float") && rest(from, "int") != "?";
}

bool fits_type(Type from, uint32_t from_length, Type to, uint32_t to_length) {
  if (from == to) return from_length <= to_length;
  return from == Type::Int && to == Type::Float;
}

std::string type_text(Type type, uint32_t max_length) {
  return type == Type::String ? "string(" + std::to_string(max_length) + ")" : type_name(type);
}

const char* noun_of(const StoredField& field) {
  if (field.kind == StoredKind::Aggregate || field.kind == StoredKind::Argument) return "aggregate ";
  return "field ";
}

}  // namespace

/// Fields that stand side by side: for each of the new ones, which of the old ones it comes from.
struct StateConversion::Group {
  static constexpr int none = -1;

  const StoredFields* from = nullptr;
  const StoredFields* to = nullptr;
  std::vector<int> source;
  std::vector<std::unique_ptr<Group>> inner;  // per new field; of records, lists and rings
};

class StateConversion::Matcher {
 public:
  explicit Matcher(std::vector<LayoutDifference>& differences) : differences_(differences) {}

  void match_shape(const StateLayout& from, const StateLayout& to) {
    if (from.kind != to.kind) note("kind: " + from.kind + " -> " + to.kind, false);
    if (from.kind != to.kind || from.shape == to.shape) return;
    for (const auto& [name, value] : from.shape)
      if (std::ranges::find(to.shape, std::pair(name, value)) == to.shape.end()) note(name + ": was " + value, false);
    for (const auto& [name, value] : to.shape)
      if (std::ranges::find(from.shape, std::pair(name, value)) == from.shape.end()) note(name + ": is now " + value, false);
    if (differences_.empty()) note("the order of its parts", false);
  }

  std::vector<size_t> match_key(const std::vector<Field>& from, const std::vector<Field>& to) {
    std::vector<size_t> sources;
    for (const Field& field : to) {
      const auto found = std::ranges::find(from, field.name, &Field::name);
      if (found == from.end()) {
        note("key " + field.name + ": new", false);
        continue;
      }
      const auto index = static_cast<size_t>(found - from.begin());
      if (index != sources.size() && from.size() == to.size()) note("key " + field.name + ": at another place", true);
      sources.push_back(index);
      match_types("key " + field.name, found->type, found->max_length, field.type, field.max_length);
    }
    for (const Field& field : from)
      if (std::ranges::find(to, field.name, &Field::name) == to.end()) note("key " + field.name + ": gone", false);
    return sources;
  }

  std::unique_ptr<Group> match(const StoredFields& from, const StoredFields& to, bool in_record) {
    auto group = std::make_unique<Group>();
    group->from = &from;
    group->to = &to;
    group->source.assign(to.size(), Group::none);
    group->inner.resize(to.size());
    std::vector<bool> used(from.size(), false);
    for (size_t index = 0; index < to.size(); ++index) take(*group, index, named(from, to[index], used), used);
    for (size_t index = 0; index < to.size(); ++index)
      if (group->source[index] == Group::none) take(*group, index, renamed(from, to[index], used), used);
    for (size_t index = 0; index < to.size(); ++index) {
      if (group->source[index] == Group::none)
        note(noun_of(to[index]) + to[index].name + ": new" + (in_record ? ", null so far" : ", begins empty"),
             in_record || is_aggregate(to[index]));
      else
        match_field(*group, index);
    }
    for (size_t index = 0; index < from.size(); ++index)
      if (!used[index]) note(noun_of(from[index]) + from[index].name + ": gone", in_record || is_aggregate(from[index]));
    return group;
  }

 private:
  static bool is_aggregate(const StoredField& field) {
    return field.kind == StoredKind::Aggregate || field.kind == StoredKind::Argument;
  }
  static void take(Group& group, size_t index, int source, std::vector<bool>& used) {
    if (source == Group::none || used[static_cast<size_t>(source)]) return;
    group.source[index] = source;
    used[static_cast<size_t>(source)] = true;
  }
  /// Fields of the step's own and those that the configuration names have names apart from each other.
  static int named(const StoredFields& from, const StoredField& to, const std::vector<bool>& used) {
    for (size_t index = 0; index < from.size(); ++index)
      if (!used[index] && from[index].name == to.name && is_aggregate(from[index]) == is_aggregate(to))
        return static_cast<int>(index);
    return Group::none;
  }
  /// An aggregate with the same call that nothing has the name of.
  static int renamed(const StoredFields& from, const StoredField& to, const std::vector<bool>& used) {
    if (!is_aggregate(to)) return Group::none;
    for (size_t index = 0; index < from.size(); ++index)
      if (!used[index] && from[index].kind == to.kind && from[index].text == to.text) return static_cast<int>(index);
    return Group::none;
  }

  void match_field(Group& group, size_t index) {
    const StoredField& from = (*group.from)[static_cast<size_t>(group.source[index])];
    const StoredField& to = (*group.to)[index];
    const std::string name = noun_of(to) + to.name;
    if (from.name != to.name) note(noun_of(from) + from.name + ": is now " + to.name, true);
    if (from.kind == StoredKind::Signed && to.kind == StoredKind::Real && from.size == 8 && to.size == 8)
      return note(name + ": int -> float", true);
    if (from.kind != to.kind) return note(name + ": of another kind", false);
    switch (to.kind) {
      case StoredKind::Cell:
        return match_types(name, from.type, from.max_length, to.type, to.max_length);
      case StoredKind::Argument:
        if (from.text != to.text) note(name + ": " + from.text + " -> " + to.text, false);
        if (from.type != Type::Null || to.type != Type::Null)
          match_types(name, from.type, from.max_length, to.type, to.max_length);
        return;
      case StoredKind::Aggregate:
        if (from.made_by == to.made_by && from.text == to.text && from.size == to.size) return;
        if (same_aggregate(from, to)) return note(name + ": int -> float", true);
        if (from.text != to.text) return note(name + ": " + from.text + " -> " + to.text, false);
        return note(name + ": " + from.made_by + " -> " + to.made_by, false);
      case StoredKind::Record:
        group.inner[index] = match(from.fields, to.fields, true);
        return;
      case StoredKind::List:
      case StoredKind::Ring:
        group.inner[index] = match(from.fields, to.fields, false);
        if (from.count != to.count)
          note(to.name + ": room for " + std::to_string(from.count) + " -> " + std::to_string(to.count),
               to.kind == StoredKind::Ring || (!to.text.empty() && from.text == to.text));
        return;
      default:
        if (from.size != to.size || from.text != to.text) note(name + ": of another size or meaning", false);
    }
  }

  void match_types(const std::string& name, Type from, uint32_t from_length, Type to, uint32_t to_length) {
    if (from == to && from_length == to_length) return;
    note(name + ": " + type_text(from, from_length) + " -> " + type_text(to, to_length),
         fits_type(from, from_length, to, to_length));
  }
  void note(std::string text, bool lossless) { differences_.push_back({std::move(text), lossless}); }

  std::vector<LayoutDifference>& differences_;
};

StateConversion::StateConversion(StateLayout from, StateLayout to) : from_(std::move(from)), to_(std::move(to)) {
  Matcher matcher(differences_);
  matcher.match_shape(from_, to_);
  if (!possible()) return;
  key_from_ = matcher.match_key(from_.key, to_.key);
  (void)matcher.match(from_.own, to_.own, false);
  fields_ = matcher.match(from_.fields, to_.fields, false);
}

StateConversion::~StateConversion() = default;

bool StateConversion::possible() const { return std::ranges::all_of(differences_, &LayoutDifference::lossless); }

Status StateConversion::convert(Bytes slot, std::vector<uint8_t>& converted) const {
  const auto before_key = static_cast<size_t>(from_.fields.bytes());
  if (slot.size() < before_key) return {Code::Corrupt, "a stored key is cut short"};
  converted.assign(static_cast<size_t>(to_.fields.bytes()), 0);
  WEIR_TRY(convert_group(*fields_, slot.data(), converted.data()));
  return convert_key(slot.subspan(before_key), converted);
}

Status StateConversion::convert_group(const Group& group, const uint8_t* from, uint8_t* to) const {
  for (size_t index = 0; index < group.to->size(); ++index)
    if (group.source[index] != Group::none) WEIR_TRY(convert_field(group, index, from, to));
  return {};
}

namespace {

Status convert_cell(const StoredField& from, const uint8_t* source, const StoredField& to, uint8_t* target) {
  const ValueCell cell(from.type, from.max_length);
  if (!cell.valid(source)) return {Code::Corrupt, "a stored value is malformed"};
  const Value value = cell.get(source);
  if (value.is_null()) return {};
  const bool widened = from.type == Type::Int && to.type == Type::Float;
  if (widened && !is_exact(value.as_int())) return inexact();
  ValueCell(to.type, to.max_length).put(target, widened ? Value::of_float(static_cast<double>(value.as_int())) : value);
  return {};
}

}  // namespace

Status StateConversion::convert_field(const Group& group, size_t index, const uint8_t* from, uint8_t* to) const {
  const auto at = static_cast<size_t>(group.source[index]);
  const StoredField& old = (*group.from)[at];
  const StoredField& now = (*group.to)[index];
  const uint8_t* source = from + group.from->at(at);
  uint8_t* target = to + group.to->at(index);
  switch (now.kind) {
    case StoredKind::Record:
      return convert_group(*group.inner[index], source, target);
    case StoredKind::List:
    case StoredKind::Ring:
      return convert_elements(group, index, from, to);
    case StoredKind::Cell:
      return convert_cell(old, source, now, target);
    case StoredKind::Argument:
      *target = *source;
      return now.type == Type::Null ? Status() : convert_cell(old, source + 1, now, target + 1);
    default:
      if (old.kind != now.kind) {
        if (!is_exact(load<int64_t>(source))) return inexact();
        store(target, static_cast<double>(load<int64_t>(source)));
      } else {
        memcpy(target, source, static_cast<size_t>(now.bytes()));
      }
      return {};
  }
}

namespace {

uint64_t read_unsigned(const uint8_t* at, uint64_t bytes) {
  uint64_t number = 0;
  memcpy(&number, at, static_cast<size_t>(std::min<uint64_t>(bytes, sizeof number)));
  return number;
}

}  // namespace

Status StateConversion::convert_elements(const Group& group, size_t index, const uint8_t* from, uint8_t* to) const {
  const auto at = static_cast<size_t>(group.source[index]);
  const StoredField& old = (*group.from)[at];
  const StoredField& now = (*group.to)[index];
  const uint8_t* source = from + group.from->at(at);
  uint8_t* target = to + group.to->at(index);
  const bool ring = now.kind == StoredKind::Ring;
  uint64_t oldest = 0;
  uint64_t count = old.count;
  if (ring) {
    oldest = read_unsigned(from + group.from->at(at - 2), 2);
    count = read_unsigned(from + group.from->at(at - 1), 2);
  } else if (const int counter = group.from->find(old.text); !old.text.empty() && counter >= 0) {
    const auto place = static_cast<size_t>(counter);
    count = read_unsigned(from + group.from->at(place), (*group.from)[place].bytes());
  }
  if (count > old.count || (ring && oldest >= old.count && count > 0))
    return {Code::Corrupt, "more elements are counted than are stored"};
  const uint64_t kept = std::min<uint64_t>(count, now.count);
  if (kept < count && !ring) return too_many();
  const uint64_t first = count - kept;
  for (uint64_t element = 0; element < kept; ++element) {
    const uint64_t place = ring ? (oldest + first + element) % old.count : element;
    WEIR_TRY(convert_group(*group.inner[index], source + place * old.fields.bytes(), target + element * now.fields.bytes()));
  }
  if (!ring) return {};
  store(to + group.to->at(index - 2), uint16_t{0});
  store(to + group.to->at(index - 1), static_cast<uint16_t>(kept));
  return {};
}

Status StateConversion::convert_key(Bytes key, std::vector<uint8_t>& converted) const {
  auto codec_of = [](const std::vector<Field>& fields) {
    Schema schema;
    std::vector<uint32_t> positions;
    for (const Field& field : fields) {
      positions.push_back(static_cast<uint32_t>(schema.size()));
      schema.add(field);
    }
    return KeyCodec(schema, positions);
  };
  std::vector<Value> values(from_.key.size());
  if (!codec_of(from_.key).decode(key, values)) return {Code::Corrupt, "a stored key is malformed"};
  std::vector<Value> moved;
  for (size_t index = 0; index < to_.key.size(); ++index) {
    const Value& value = values[key_from_[index]];
    const bool widened = value.type() == Type::Int && to_.key[index].type == Type::Float;
    if (widened && !is_exact(value.as_int())) return inexact();
    moved.push_back(widened ? Value::of_float(static_cast<double>(value.as_int())) : value);
  }
  const KeyCodec codec = codec_of(to_.key);
  std::vector<uint8_t> room(static_cast<size_t>(codec.bytes_max()));
  const Bytes encoded = codec.encode(moved, room);
  converted.insert(converted.end(), encoded.begin(), encoded.end());
  return {};
}

}  // namespace weir
