// sort: puts the records of a key in the order of their event times: each is held until the watermark has reached it, and
// handed on then, after those before it; of equal times in the order of arrival. So what comes late within the source's
// max_delay is in order behind this step. When max_records are held and one more comes, the earliest goes on before its time
// (full = "emit"), counted as evicted, or the new one is refused (full = "reject").
//
// State of a key: u32 records, then max_records x (i64 event time, u64 identity, a RowCell), in the order of arrival. A key
// without records has none. A record costs a walk over those that are held.
#include <algorithm>
#include <cstring>

#include "agent/base/hash.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

constexpr uint32_t rows_at = 4;
constexpr uint32_t identity_at = 8;
constexpr uint32_t values_at = 16;

class Sort final : public KeyedFunction {
 public:
  Sort(uint32_t records_max, bool emits, const StepBuild& build)
      : records_max_(records_max),
        emits_(emits),
        schema_(build.input()),
        cell_(schema_),
        row_bytes_(values_at + cell_.bytes()),
        row_(build.arena().take<Value>(schema_.size(), build.pool() + ".result", "1 record")),
        no_room_("step " + build.id() + ": max_records = " + std::to_string(records_max) + " of this key are held") {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return rows_at + records_max_ * row_bytes_; }
  void describe(StateLayout& layout) const override {
    layout.kind = "sort";
    layout.fields.add_u32("count");
    StoredFields& row = layout.fields.add_list("records", records_max_, "count");
    row.add_time("time");
    row.add_u64("identity");
    cell_.describe(row, "record");
  }
  bool valid(const uint8_t* state) const override {
    if (count(state) > records_max_) return false;
    for (uint32_t index = 0; index < count(state); ++index)
      if (!cell_.valid(state + at(index) + values_at)) return false;
    return true;
  }
  bool uses_event_timers() const override { return true; }
  bool needs_order() const override { return false; }
  uint32_t fan_out() const override { return records_max_; }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }
  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override;
  void on_evicted(KeyContext& context) override {
    while (count(context.peek()) > 0) hand_on_first(context);
  }

 private:
  static uint32_t count(const uint8_t* state) { return load<uint32_t>(state); }
  uint32_t at(uint32_t index) const { return rows_at + index * row_bytes_; }
  int64_t time_of(const uint8_t* state, uint32_t index) const { return load<int64_t>(state + at(index)); }
  uint32_t first(const uint8_t* state) const;
  void hand_on_first(KeyContext& context) const;
  void set_timer(KeyContext& context) const;

  uint32_t records_max_;
  bool emits_;
  const Schema& schema_;
  RowCell cell_;
  uint32_t row_bytes_;
  std::span<Value> row_;
  std::string no_room_;
};

Outcome Sort::process(const Record& record, KeyContext& context) {
  if (record.event_time_ms <= context.watermark_ms()) return Outcome::Late;
  if (count(context.peek()) == records_max_) {
    if (!emits_) return context.refuse(record, "capacity", no_room_);
    context.note_evicted();
    // The record itself may be the one that is earliest.
    if (record.event_time_ms < time_of(context.peek(), first(context.peek()))) return context.forward(record);
    hand_on_first(context);
  }
  uint8_t* state = context.state().data();
  uint8_t* row = state + at(count(state));
  store(row, record.event_time_ms);
  store(row + identity_at, record.identity);
  cell_.put(row + values_at, record.values);
  store(state, count(state) + 1);
  set_timer(context);
  return Outcome::Applied;
}

/// One at a time, for downstream may have room for no more.
void Sort::on_event_timer(int64_t, KeyContext& context) {
  hand_on_first(context);
  if (count(context.peek()) == 0) return context.forget();
  set_timer(context);
}

/// Of those with the earliest time the one that came first. Requires that some are held.
uint32_t Sort::first(const uint8_t* state) const {
  uint32_t best = 0;
  for (uint32_t index = 1; index < count(state); ++index)
    if (time_of(state, index) < time_of(state, best)) best = index;
  return best;
}

void Sort::hand_on_first(KeyContext& context) const {
  uint8_t* state = context.state().data();
  const uint32_t index = first(state);
  cell_.get(state + at(index) + values_at, row_);
  context.emit(row_, time_of(state, index), hash_chain(0, load<uint64_t>(state + at(index) + identity_at)));
  const uint32_t rest = count(state) - index - 1;
  memmove(state + at(index), state + at(index + 1), size_t{rest} * row_bytes_);
  memset(state + at(index + rest), 0, row_bytes_);
  store(state, index + rest);
}

void Sort::set_timer(KeyContext& context) const {
  const uint8_t* state = context.peek();
  context.set_event_timer(time_of(state, first(state)));
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const bool emits = build.options().text("full").value == "emit";
  return build.keyed(std::make_unique<Sort>(static_cast<uint32_t>(build.options().integer("max_records")), emits, build));
}

constexpr const char* full_choices[] = {"emit", "reject"};

constexpr StepOption options[] = {
    {.key = "max_records",
     .type = StepOptionType::Integer,
     .standard = "32",
     .minimum = "1",
     .maximum = "4096",
     .documentation = "Records of a key that are held at a time.",
     .example = "max_records = 100"},
    {.key = "full",
     .type = StepOptionType::Choice,
     .standard = "emit",
     .choices = full_choices,
     .documentation =
         "When one more comes: `emit` hands the earliest on before its time and counts it as evicted; `reject` makes the new "
         "one a dead letter.",
     .example = "full = \"reject\""},
};

}  // namespace

const StepKind sort_step = {
    .verb = "sort",
    .documentation = "Verb: hands the records of a key on in the order of their event times.",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
