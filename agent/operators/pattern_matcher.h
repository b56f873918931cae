// PatternMatcher: finds a sequence of conditions in the rows of one key, as SQL's MATCH_RECOGNIZE with ONE ROW PER MATCH does:
// rows come in the order of their times; each variable of the sequence takes one row or, repeated, several; of all ways to
// match the one is reported that begins first and then repeats most (or least, where reluctant). An aggregate over the rows
// of one variable is a measure; conditions may use measures, and see them with the row in question already taken, as in SQL.
//
// State, in a fixed number of bytes: u32 items, u64 rows seen, then items in the order of preference. An item is a way on which
// matching may go on (a partial match) or a match that waits until no preferred way is left: u8 kind, u8 variable, u32 rows
// that the variable took, i64 time and u64 number of the first row, the same of the last row, then each measure's accumulator.
// Rows that fit nowhere are passed over where a relaxed variable may take the next one; once some were, those that are strict
// may not any more. A match is final when it stands first. When there are more items than partial_max those last in the order
// are given up.
//
// The same object serves all keys: the bytes belong to the key. take_row() costs at most partial_max x 9 conditions.
#pragma once

#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/function_ref.h"
#include "agent/model/state_layout.h"
#include "agent/operators/aggregate.h"

namespace weir {

struct PatternVariable {
  static constexpr uint32_t no_limit = UINT32_MAX;

  std::string name;
  Program condition;  // over the input's fields and then the measures
  uint32_t least = 1;
  uint32_t most = 1;
  bool greedy = true;
  bool relaxed = false;  // rows that fit nowhere are passed over before each one that it takes
};

struct PatternMeasure {
  size_t variable = 0;
  Aggregation aggregation;  // over the input's fields
};

struct PatternSpec {
  static constexpr size_t variables_max = 8;

  std::vector<PatternVariable> variables;  // 1 to variables_max, not all with least = 0
  std::vector<PatternMeasure> measures;
  int64_t within_ms = 0;  // from the first to the last row of a match, this included
  bool past_last = true;  // the next match begins behind the last row; otherwise behind the first
  uint32_t partial_max = 1;
};

class PatternMatcher {
 public:
  struct Match {
    int64_t start_ms = 0;
    int64_t end_ms = 0;
    uint64_t first_row = 0;
    std::span<const Value> measures;  // strings view the state
  };
  using Report = FunctionRef<void(const Match&)>;

  /// Takes scratch memory from `arena`.
  PatternMatcher(PatternSpec spec, size_t input_fields, Arena& arena, const std::string& pool);

  uint32_t bytes() const { return items_at + spec_.partial_max * item_bytes_; }
  void describe(StoredFields& fields) const;
  bool valid(const uint8_t* state) const;
  const PatternSpec& spec() const { return spec_; }

  /// The next row in order. Reports at most partial_max matches; returns how many items were given up for lack of room.
  uint32_t take_row(uint8_t* state, std::span<const Value> values, int64_t time_ms, Report report);
  /// No row with a time <= `time_ms` comes any more.
  void expire(uint8_t* state, int64_t time_ms, Report report);
  /// When expire() will next have something to do; INT64_MAX if the state holds nothing.
  int64_t next_expiry(const uint8_t* state) const;

 private:
  enum class Kind : uint8_t { Partial = 1, Match = 2 };
  static constexpr uint32_t rows_at = 4;
  static constexpr uint32_t items_at = 12;

  /// The ways on from a place in the sequence, the preferred one first: variables that may take the next row, or the end.
  struct Ways {
    uint8_t size = 0;
    uint8_t way[PatternSpec::variables_max + 2] = {};
  };
  static constexpr uint8_t end_way = UINT8_MAX;

  void enter(size_t variable, Ways& ways) const;
  Ways ways_from(size_t variable, uint32_t count) const;

  const uint8_t* item(const uint8_t* state, uint32_t index) const { return state + items_at + index * item_bytes_; }
  bool take(const uint8_t* from, uint8_t variable, std::span<const Value> values, int64_t time_ms, uint64_t row);
  bool may_take(const uint8_t* from, uint8_t variable, uint64_t row) const;
  bool waits(const Ways& ways) const;
  bool follow(const uint8_t* from, const Ways& ways, std::span<const Value> values, int64_t time_ms, uint64_t row);
  void push_taken();
  void push(const uint8_t* bytes);
  void measure(const uint8_t* item_bytes);
  void settle(uint8_t* state, Report report);
  void drop_begun_by(uint8_t* state, uint64_t row) const;
  bool expired(const uint8_t* item_bytes, int64_t time_ms) const;

  PatternSpec spec_;
  size_t input_fields_;
  std::vector<uint32_t> accumulators_at_;  // in an item, one per measure
  uint32_t item_bytes_;
  std::span<Value> row_;       // the input's fields, then the measures
  std::span<uint8_t> taken_;   // the item in the making
  std::span<uint8_t> before_;  // the state as it was before the row
  uint8_t* next_ = nullptr;    // the state in the making
  uint64_t matched_row_ = no_row;
  uint32_t given_up_ = 0;
  static constexpr uint64_t no_row = UINT64_MAX;
};

}  // namespace weir
