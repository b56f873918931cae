// resample: a key's values on a regular grid of event time: a record for each grid point, made when the watermark has reached
// it. The records that come in end here.
//
// "last" takes the newest sample at or before the grid point; "linear" the straight line between the newest at or before it and
// the oldest at or after it, and so waits for that one beyond the watermark, up to max_gap after the former. Of the samples
// only those are kept that a grid point can ask for: of each cell (the time after a grid point up to and with the next one) the
// last and, for "linear", the first.
//
// State of a key: i64 the next grid point (INT64_MIN: none yet), u16 samples held; of each, oldest first: i64 event time, the
// RowCell of its fields.
#include <algorithm>
#include <cstring>

#include "agent/expression/arithmetic.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

constexpr uint32_t next_at = 0;
constexpr uint32_t count_at = 8;
constexpr uint32_t samples_at = 10;
constexpr int64_t no_grid_point = INT64_MIN;

struct Grid {
  int64_t every_ms = 1000;
  int64_t offset_ms = 0;

  /// The end of the cell that `time_ms` lies in: the first grid point that is not before it; no_grid_point if that is beyond
  /// the range of times.
  int64_t at_or_after(int64_t time_ms) const {
    int64_t shifted = 0;
    if (__builtin_sub_overflow(time_ms, offset_ms, &shifted)) return no_grid_point;
    const int64_t past = shifted % every_ms;
    const int64_t forward = past > 0 ? every_ms - past : -past;
    int64_t point = 0;
    return __builtin_add_overflow(time_ms, forward, &point) ? no_grid_point : point;
  }
  int64_t after(int64_t point) const {
    int64_t next = 0;
    return __builtin_add_overflow(point, every_ms, &next) ? no_grid_point : next;
  }
};

struct Sampling {
  std::vector<uint32_t> fields;  // positions in the input
  Grid grid;
  int64_t max_gap_ms = 0;
  uint32_t max_held = 2;
  bool linear = false;
};

Schema sample_schema(const Sampling& sampling, const Schema& input) {
  Schema schema;
  for (uint32_t position : sampling.fields) schema.add(input[position]);
  return schema;
}

/// That one record may cause: a clock that jumps must not fill the disk.
constexpr int64_t grid_points_max = 100'000;

class Resample final : public KeyedFunction {
 public:
  Resample(Sampling sampling, Schema result, const StepBuild& build)
      : sampling_(std::move(sampling)),
        schema_(std::move(result)),
        keys_(build.key_fields().size()),
        cell_(sample_schema(sampling_, build.input())),
        row_(build.arena().take<Value>(schema_.size(), build.pool() + ".result", "1 record")),
        sample_(build.arena().take<Value>(sampling_.fields.size(), build.pool() + ".result", "")),
        later_(build.arena().take<Value>(sampling_.fields.size(), build.pool() + ".result", "")) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return samples_at + sampling_.max_held * sample_bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "resample";
    layout.add_shape("every_ms", sampling_.grid.every_ms);
    layout.add_shape("offset_ms", sampling_.grid.offset_ms);
    layout.fields.add_time("next");
    layout.fields.add_u16("count");
    StoredFields& sample = layout.fields.add_list("samples", sampling_.max_held, "count");
    sample.add_time("time");
    cell_.describe(sample, "record");
  }
  bool valid(const uint8_t* state) const override;
  bool uses_event_timers() const override { return true; }

  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override;

 private:
  uint32_t sample_bytes() const { return 8 + cell_.bytes(); }
  uint8_t* sample(uint8_t* state, uint32_t index) const { return state + samples_at + index * sample_bytes(); }
  const uint8_t* sample(const uint8_t* state, uint32_t index) const { return state + samples_at + index * sample_bytes(); }
  int64_t time_of(const uint8_t* state, uint32_t index) const { return load<int64_t>(sample(state, index)); }
  static uint32_t count(const uint8_t* state) { return load<uint16_t>(state + count_at); }
  static void set_count(uint8_t* state, uint32_t count) { store(state + count_at, static_cast<uint16_t>(count)); }

  bool gives_way(const uint8_t* state, int64_t cell) const;
  void drop_oldest(uint8_t* state) const;
  bool settle(uint8_t* state, int64_t watermark_ms) const;
  int64_t due(const uint8_t* state) const;
  void make_values(const uint8_t* state, int64_t point);
  void interpolate(const uint8_t* state, int64_t point);

  Sampling sampling_;
  Schema schema_;
  size_t keys_;
  RowCell cell_;
  std::span<Value> row_;
  std::span<Value> sample_;
  std::span<Value> later_;
};

bool Resample::valid(const uint8_t* state) const {
  if (count(state) > sampling_.max_held) return false;
  const auto next = load<int64_t>(state + next_at);
  if (next != no_grid_point && sampling_.grid.at_or_after(next) != next) return false;
  for (uint32_t index = 0; index < count(state); ++index)
    if (!cell_.valid(sample(state, index) + 8) || (index > 0 && time_of(state, index) < time_of(state, index - 1)))
      return false;
  return true;
}

Outcome Resample::process(const Record& record, KeyContext& context) {
  if (context.is_new()) store(context.state().data() + next_at, no_grid_point);
  for (size_t index = 0; index < sampling_.fields.size(); ++index) {
    sample_[index] = record.values[sampling_.fields[index]];
    if (sample_[index].is_null()) return Outcome::Filtered;
  }
  const int64_t cell = sampling_.grid.at_or_after(record.event_time_ms);
  if (cell == no_grid_point) return Outcome::Filtered;
  uint8_t* state = context.state().data();
  if (count(state) == 0) store(state + next_at, std::max(load<int64_t>(state + next_at), cell));
  if (gives_way(state, cell)) set_count(state, count(state) - 1);
  uint8_t* to = sample(state, count(state));
  store(to, record.event_time_ms);
  cell_.put(to + 8, sample_);
  set_count(state, count(state) + 1);
  context.set_event_timer(due(state));
  return Outcome::Applied;
}

/// Whether no grid point can ask for the newest sample once there is one at or before the grid point `cell`, or there is no
/// more room.
bool Resample::gives_way(const uint8_t* state, int64_t cell) const {
  const uint32_t held = count(state);
  const uint32_t keep = sampling_.linear ? 2 : 1;
  if (held < keep) return false;
  return held == sampling_.max_held || sampling_.grid.at_or_after(time_of(state, held - keep)) == cell;
}

void Resample::drop_oldest(uint8_t* state) const {
  const uint32_t left = count(state) - 1;
  memmove(sample(state, 0), sample(state, 1), size_t{left} * sample_bytes());
  set_count(state, left);
}

/// When there may be something to do next.
int64_t Resample::due(const uint8_t* state) const {
  const auto next = load<int64_t>(state + next_at);
  if (count(state) == 0 || next == no_grid_point) return no_timer;
  const bool waits = sampling_.linear && count(state) == 1 && time_of(state, 0) < next;
  return waits ? std::max(next, later_ms(time_of(state, 0), sampling_.max_gap_ms)) : next;
}

/// Moves on to the next grid point that can have values, drops samples that are behind it. Whether its values are known.
bool Resample::settle(uint8_t* state, int64_t watermark_ms) const {
  while (count(state) > 0) {
    const auto next = load<int64_t>(state + next_at);
    if (next == no_grid_point) return false;
    const bool has_later = count(state) > 1;
    const int64_t time_ms = time_of(state, 0);
    if (has_later && time_of(state, 1) <= next) {
      drop_oldest(state);
      continue;
    }
    if (time_ms == next) return true;
    const bool gap = sampling_.linear ? has_later && elapsed_ms(time_ms, time_of(state, 1)) > sampling_.max_gap_ms
                                      : elapsed_ms(time_ms, next) > sampling_.max_gap_ms;
    if (!gap && (has_later || !sampling_.linear)) return true;
    // Nothing that is still to come can lie within max_gap of the sample.
    if (!gap && watermark_ms < later_ms(time_ms, sampling_.max_gap_ms)) return false;
    drop_oldest(state);
    if (count(state) > 0) store(state + next_at, std::max(next, sampling_.grid.at_or_after(time_of(state, 0))));
  }
  return false;
}

void Resample::on_event_timer(int64_t, KeyContext& context) {
  uint8_t* state = context.state().data();
  if (settle(state, context.watermark_ms())) {
    const auto point = load<int64_t>(state + next_at);
    if (point > context.watermark_ms()) {
      context.set_event_timer(point);
      return;
    }
    make_values(state, point);
    store(state + next_at, sampling_.grid.after(point));
    const std::span<const Value> key = context.key();
    std::ranges::copy(key, row_.begin());
    context.emit(row_, point);
  }
  context.set_event_timer(due(state));
}

void Resample::make_values(const uint8_t* state, int64_t point) {
  row_[keys_] = Value::of_time(point);
  cell_.get(sample(state, 0) + 8, sample_);
  if (sampling_.linear) return interpolate(state, point);
  std::ranges::copy(sample_, row_.begin() + static_cast<std::ptrdiff_t>(keys_) + 1);
}

void Resample::interpolate(const uint8_t* state, int64_t point) {
  const int64_t before_ms = time_of(state, 0);
  const bool exact = before_ms == point;
  if (!exact) cell_.get(sample(state, 1) + 8, later_);
  for (size_t index = 0; index < sample_.size(); ++index) {
    const double before = to_float(sample_[index]);
    double value = before;
    if (!exact) {
      const auto gap = static_cast<double>(elapsed_ms(before_ms, time_of(state, 1)));
      value = before + (to_float(later_[index]) - before) * (static_cast<double>(elapsed_ms(before_ms, point)) / gap);
    }
    row_[keys_ + 1 + index] = finite_or_null(Value::of_float(value));
  }
}

Schema result_schema(StepBuild& build, const Sampling& sampling) {
  Schema schema = build.key_schema();
  build.add_field(schema, {.name = build.options().text("time").value, .type = Type::Time}, "time");
  for (uint32_t position : sampling.fields) {
    Field field = build.input()[position];
    if (sampling.linear) field.type = Type::Float;
    build.add_field(schema, std::move(field), "fields");
  }
  return schema;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Sampling sampling;
  sampling.linear = options.text("method").value == "linear";
  sampling.grid = {options.integer("every"), options.integer("offset")};
  sampling.max_gap_ms = options.integer("max_gap");
  sampling.max_held = static_cast<uint32_t>(options.integer("max_held"));
  for (const Text& name : options.list("fields"))
    sampling.fields.push_back(build.field(name, sampling.linear ? number_types : all_types));
  if (sampling.grid.offset_ms >= sampling.grid.every_ms) build.error("offset", "\"offset\" is less than \"every\"");
  if (sampling.max_gap_ms / std::max<int64_t>(1, sampling.grid.every_ms) > grid_points_max)
    build.error("max_gap", "one gap would be filled with more than " + std::to_string(grid_points_max) + " records",
                "a shorter max_gap or a longer every");
  Schema result = result_schema(build, sampling);
  if (!build.good()) return nullptr;
  return build.keyed(std::make_unique<Resample>(std::move(sampling), std::move(result), build));
}

constexpr const char* methods[] = {"last", "linear"};

constexpr StepOption options[] = {
    {.key = "every",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "The distance of the grid points, which stand at multiples of it (in UTC, moved by `offset`).",
     .example = "every = \"1s\""},
    {.key = "offset",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "Moves the grid; less than `every`.",
     .example = "offset = \"500ms\""},
    {.key = "fields",
     .type = StepOptionType::TextList,
     .required = true,
     .minimum = "1",
     .documentation =
         "The fields that the records on the grid have, beside those of the key: of any type for `last`; int or float for "
         "`linear`, which makes floats. A record in which one of them is null is no sample and is filtered out.",
     .example = "fields = [\"temperature\"]"},
    {.key = "method",
     .type = StepOptionType::Choice,
     .standard = "last",
     .choices = methods,
     .documentation =
         "`last`: the values of the newest record at or before the grid point. `linear`: on the straight line between that "
         "one and the next.",
     .example = "method = \"linear\""},
    {.key = "max_gap",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation =
         "No record is made at a grid point that is further than this after the last sample (`last`), or lies between two "
         "samples that are further apart (`linear`).",
     .example = "max_gap = \"1min\""},
    {.key = "time",
     .type = StepOptionType::Text,
     .standard = "time",
     .minimum = "1",
     .documentation = "The name of the field with the grid point, which is also the event time of the record.",
     .example = "time = \"ts\""},
    {.key = "max_held",
     .type = StepOptionType::Integer,
     .standard = "16",
     .minimum = "2",
     .maximum = "1000",
     .documentation =
         "So many samples of a key are held: one per grid point that the watermark has not reached, for `linear` two, and "
         "one more. When there is no room, the newest gives way to the one that comes.",
     .example = "max_held = 40"},
};

}  // namespace

const StepKind resample_step = {
    .verb = "resample",
    .documentation = "Verb: puts a key's values onto a regular grid of event time.",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
