#include "agent/operators/pattern_matcher.h"

#include <algorithm>
#include <cstring>

#include "agent/operators/aggregate_set.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

// Within an item.
constexpr uint32_t kind_at = 0;
constexpr uint32_t variable_at = 1;
constexpr uint32_t count_at = 2;
constexpr uint32_t start_ms_at = 6;
constexpr uint32_t start_row_at = 14;
constexpr uint32_t last_ms_at = 22;
constexpr uint32_t last_row_at = 30;
constexpr uint32_t accumulators_begin = 38;

uint64_t start_row_of(const uint8_t* item) { return load<uint64_t>(item + start_row_at); }

}  // namespace

PatternMatcher::PatternMatcher(PatternSpec spec, size_t input_fields, Arena& arena, const std::string& pool)
    : spec_(std::move(spec)), input_fields_(input_fields), item_bytes_(accumulators_begin) {
  for (const PatternMeasure& each : spec_.measures) {
    accumulators_at_.push_back(item_bytes_);
    item_bytes_ += each.aggregation.aggregate->bytes();
  }
  row_ = arena.take<Value>(input_fields_ + spec_.measures.size(), pool + ".matching", "1 row, 1 key's partial matches");
  taken_ = arena.take<uint8_t>(item_bytes_, pool + ".matching", "");
  before_ = arena.take<uint8_t>(bytes(), pool + ".matching", "");
}

void PatternMatcher::describe(StoredFields& fields) const {
  fields.add_u32("attempts_count");
  fields.add_u64("rows_seen");
  StoredFields& item = fields.add_list("attempts", spec_.partial_max, "attempts_count");
  item.add_u8("attempt.kind");
  item.add_u8("attempt.variable");
  item.add_u32("attempt.rows");
  item.add_time("attempt.first_time");
  item.add_u64("attempt.first_row");
  item.add_time("attempt.last_time");
  item.add_u64("attempt.last_row");
  for (const PatternMeasure& each : spec_.measures)
    item.add_aggregate(each.aggregation.aggregate->bytes(), each.aggregation.name, each.aggregation.made_by,
                       call_text(each.aggregation));
}

bool PatternMatcher::valid(const uint8_t* state) const {
  const auto count = load<uint32_t>(state);
  if (count > spec_.partial_max) return false;
  for (uint32_t index = 0; index < count; ++index) {
    const uint8_t* each = item(state, index);
    const bool known =
        each[kind_at] == static_cast<uint8_t>(Kind::Partial) || each[kind_at] == static_cast<uint8_t>(Kind::Match);
    if (!known || each[variable_at] >= spec_.variables.size()) return false;
    for (size_t measure = 0; measure < spec_.measures.size(); ++measure)
      if (!spec_.measures[measure].aggregation.aggregate->valid(each + accumulators_at_[measure])) return false;
  }
  return true;
}

// ---- which ways there are

void PatternMatcher::enter(size_t variable, Ways& ways) const {
  if (variable == spec_.variables.size()) {
    ways.way[ways.size++] = end_way;
    return;
  }
  const PatternVariable& entered = spec_.variables[variable];
  if (entered.greedy) ways.way[ways.size++] = static_cast<uint8_t>(variable);
  if (entered.least == 0) enter(variable + 1, ways);
  if (!entered.greedy) ways.way[ways.size++] = static_cast<uint8_t>(variable);
}

PatternMatcher::Ways PatternMatcher::ways_from(size_t variable, uint32_t count) const {
  const PatternVariable& current = spec_.variables[variable];
  Ways ways;
  const bool may_stay = count < current.most;
  if (may_stay && current.greedy) ways.way[ways.size++] = static_cast<uint8_t>(variable);
  if (count >= current.least) enter(variable + 1, ways);
  if (may_stay && !current.greedy) ways.way[ways.size++] = static_cast<uint8_t>(variable);
  return ways;
}

// ---- one row

uint32_t PatternMatcher::take_row(uint8_t* state, std::span<const Value> values, int64_t time_ms, Report report) {
  memcpy(before_.data(), state, before_.size());
  next_ = state;
  matched_row_ = no_row;
  given_up_ = 0;
  const auto row = load<uint64_t>(state + rows_at);
  store(state, uint32_t{0});
  store(state + rows_at, row + 1);
  std::ranges::copy(values, row_.begin());
  for (uint32_t index = 0; index < load<uint32_t>(before_.data()); ++index) {
    const uint8_t* each = item(before_.data(), index);
    if (each[kind_at] == static_cast<uint8_t>(Kind::Match)) {
      push(each);
    } else if (time_ms <= load<int64_t>(each + start_ms_at) || !expired(each, time_ms - 1)) {
      const Ways ways = ways_from(each[variable_at], load<uint32_t>(each + count_at));
      if (!follow(each, ways, values, time_ms, row) && waits(ways)) push(each);
    }
  }
  Ways first;
  enter(0, first);
  follow(nullptr, first, values, time_ms, row);
  settle(state, report);
  return given_up_;
}

/// Whether a variable may take `row` next: a strict one only right behind the row before.
bool PatternMatcher::may_take(const uint8_t* from, uint8_t variable, uint64_t row) const {
  return from == nullptr || spec_.variables[variable].relaxed || load<uint64_t>(from + last_row_at) + 1 == row;
}

/// Whether a row that was passed over leaves a way on.
bool PatternMatcher::waits(const Ways& ways) const {
  return std::any_of(ways.way, ways.way + ways.size,
                     [&](uint8_t way) { return way != end_way && spec_.variables[way].relaxed; });
}

/// Whether the row was taken on any of the ways. What comes behind the end is less preferred than the match that is already
/// known.
bool PatternMatcher::follow(const uint8_t* from, const Ways& ways, std::span<const Value> values, int64_t time_ms,
                            uint64_t row) {
  bool any = false;
  for (uint8_t index = 0; index < ways.size && ways.way[index] != end_way; ++index) {
    if (!may_take(from, ways.way[index], row) || !take(from, ways.way[index], values, time_ms, row)) continue;
    any = true;
    push_taken();
  }
  return any;
}

/// Makes `taken_`: `from`, or nothing, with the row taken by `variable`. False if its condition is not true then.
bool PatternMatcher::take(const uint8_t* from, uint8_t variable, std::span<const Value> values, int64_t time_ms, uint64_t row) {
  uint8_t* made = taken_.data();
  if (from != nullptr) {
    memcpy(made, from, item_bytes_);
  } else {
    std::ranges::fill(taken_, uint8_t{0});
    made[kind_at] = static_cast<uint8_t>(Kind::Partial);
    store(made + start_ms_at, time_ms);
    store(made + start_row_at, row);
  }
  const bool stays = from != nullptr && from[variable_at] == variable;
  made[variable_at] = variable;
  const uint32_t before = stays ? load<uint32_t>(from + count_at) : 0;
  store(made + count_at, before == UINT32_MAX ? before : before + 1);
  store(made + last_ms_at, time_ms);
  store(made + last_row_at, row);
  for (size_t index = 0; index < spec_.measures.size(); ++index) {
    const PatternMeasure& each = spec_.measures[index];
    if (each.variable != variable) continue;
    const Program& argument = each.aggregation.argument;
    each.aggregation.aggregate->add(made + accumulators_at_[index],
                                    argument.empty() ? Value::null() : argument.evaluate(values), time_ms);
  }
  measure(made);
  const Value holds = spec_.variables[variable].condition.evaluate(row_);
  return !holds.is_null() && holds.as_bool();
}

/// The measures of an item become the values behind the input's fields.
void PatternMatcher::measure(const uint8_t* item_bytes) {
  for (size_t index = 0; index < spec_.measures.size(); ++index)
    row_[input_fields_ + index] = spec_.measures[index].aggregation.aggregate->result(item_bytes + accumulators_at_[index]);
}

/// `taken_` may be a match, a way to a preferred one, or both, in this order.
void PatternMatcher::push_taken() {
  const Ways ways = ways_from(taken_[variable_at], load<uint32_t>(taken_.data() + count_at));
  const bool ends = std::find(ways.way, ways.way + ways.size, end_way) != ways.way + ways.size;
  if (!ends || ways.way[0] != end_way) push(taken_.data());
  if (!ends) return;
  taken_[kind_at] = static_cast<uint8_t>(Kind::Match);
  push(taken_.data());
}

/// Appends to the state in the making, unless a match with the same first row stands before it.
void PatternMatcher::push(const uint8_t* bytes) {
  if (start_row_of(bytes) == matched_row_) return;
  const auto count = load<uint32_t>(next_);
  if (count == spec_.partial_max) {
    ++given_up_;
    return;
  }
  memcpy(next_ + items_at + count * item_bytes_, bytes, item_bytes_);
  store(next_, count + 1);
  if (bytes[kind_at] == static_cast<uint8_t>(Kind::Match)) matched_row_ = start_row_of(bytes);
}

// ---- what is final

/// Reports the matches that stand first, each with its followers taken away.
void PatternMatcher::settle(uint8_t* state, Report report) {
  while (load<uint32_t>(state) > 0 && item(state, 0)[kind_at] == static_cast<uint8_t>(Kind::Match)) {
    const uint8_t* match = item(state, 0);
    measure(match);
    report({load<int64_t>(match + start_ms_at), load<int64_t>(match + last_ms_at), start_row_of(match),
            row_.subspan(input_fields_)});
    drop_begun_by(state, spec_.past_last ? load<uint64_t>(match + last_row_at) : start_row_of(match));
  }
}

void PatternMatcher::drop_begun_by(uint8_t* state, uint64_t row) const {
  uint32_t kept = 0;
  for (uint32_t index = 0; index < load<uint32_t>(state); ++index) {
    const uint8_t* each = item(state, index);
    if (start_row_of(each) <= row) continue;
    memmove(state + items_at + kept * item_bytes_, each, item_bytes_);
    ++kept;
  }
  store(state, kept);
}

/// Whether no row after `time_ms` can belong to it.
bool PatternMatcher::expired(const uint8_t* item_bytes, int64_t time_ms) const {
  int64_t last_ms = 0;
  return !__builtin_add_overflow(load<int64_t>(item_bytes + start_ms_at), spec_.within_ms, &last_ms) && last_ms <= time_ms;
}

void PatternMatcher::expire(uint8_t* state, int64_t time_ms, Report report) {
  while (load<uint32_t>(state) > 0 && expired(item(state, 0), time_ms)) {
    const uint32_t rest = load<uint32_t>(state) - 1;
    memmove(state + items_at, item(state, 1), size_t{rest} * item_bytes_);
    store(state, rest);
    settle(state, report);
  }
}

int64_t PatternMatcher::next_expiry(const uint8_t* state) const {
  if (load<uint32_t>(state) == 0) return INT64_MAX;
  int64_t expiry_ms = 0;
  return __builtin_add_overflow(load<int64_t>(item(state, 0) + start_ms_at), spec_.within_ms, &expiry_ms) ? INT64_MAX
                                                                                                          : expiry_ms;
}

}  // namespace weir
