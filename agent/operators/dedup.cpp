// dedup: what repeats within a time goes no further. A record repeats one that went on before if both have the same key, the
// same values in `fields`, and event times less than `within` apart, whichever of them is older: records may come in any order
// that the watermark allows for. A record behind the watermark is late, for what it repeats may be forgotten.
//
// What went on is remembered until the watermark has passed its last possible repeat; a key that remembers nothing gives its
// room back. With `refresh` a repeat prolongs the time: a remembered time is then the span from the first to the last repeat.
//
// State of a key: u32 how many are remembered, then max_values times i64 first and i64 last event time and, with `fields`, the
// 128-bit hash of their values (KeyCodec's bytes). Looking one up walks through all that are remembered.
#include <algorithm>

#include "agent/base/hash.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t entries_at = 4;
constexpr uint32_t first_at = 0;
constexpr uint32_t last_at = 8;
constexpr uint32_t hash_at = 16;

struct DedupRules {
  std::vector<uint32_t> fields;
  int64_t within_ms = 1;
  uint32_t max_values = 1;
  bool refresh = false;
  bool forget_oldest = false;  // when there is no room; otherwise the record is set aside
  std::string no_room;         // why, for people
};

class Dedup final : public KeyedFunction {
 public:
  /// `room` has as many bytes as the values of the fields can take (KeyCodec).
  Dedup(DedupRules rules, const Schema& input, KeyCodec codec, std::span<uint8_t> room)
      : rules_(std::move(rules)),
        schema_(input),
        codec_(std::move(codec)),
        room_(room),
        entry_bytes_(rules_.fields.empty() ? hash_at : hash_at + static_cast<uint32_t>(sizeof(Hash128))) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return entries_at + rules_.max_values * entry_bytes_; }
  void describe(StateLayout& layout) const override {
    layout.kind = "dedup";
    for (size_t index = 0; index < codec_.size(); ++index)
      layout.add_shape("field", codec_[index].name + " " + type_name(codec_[index].type));
    layout.fields.add_u32("count");
    StoredFields& entry = layout.fields.add_list("values", rules_.max_values, "count");
    entry.add_time("first");
    entry.add_time("last");
    if (!rules_.fields.empty()) entry.add_bytes(sizeof(Hash128), "hash");
  }
  bool valid(const uint8_t* state) const override {
    const auto count = load<uint32_t>(state);
    if (count > rules_.max_values) return false;
    for (uint32_t index = 0; index < count; ++index)
      if (first_of(entry(state, index)) > last_of(entry(state, index))) return false;
    return true;
  }
  bool needs_order() const override { return false; }
  bool uses_event_timers() const override { return true; }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    const Outcome outcome = judge(record, context);
    if (load<uint32_t>(context.peek()) == 0) context.forget();
    return outcome;
  }
  /// The last one that was remembered can have no repeat any more.
  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    (void)time_ms;
    context.forget();
  }

 private:
  uint8_t* entry(uint8_t* state, uint32_t index) const { return state + entries_at + index * entry_bytes_; }
  const uint8_t* entry(const uint8_t* state, uint32_t index) const { return state + entries_at + index * entry_bytes_; }
  static int64_t first_of(const uint8_t* at) { return load<int64_t>(at + first_at); }
  static int64_t last_of(const uint8_t* at) { return load<int64_t>(at + last_at); }

  Outcome judge(const Record& record, KeyContext& context) {
    const int64_t time_ms = record.event_time_ms;
    if (time_ms <= context.watermark_ms()) return Outcome::Late;
    const Hash128 hash = hash128(codec_.encode(record.values, room_));
    if (repeats(hash, time_ms, context)) return Outcome::Filtered;
    forget_passed(context);
    if (load<uint32_t>(context.peek()) == rules_.max_values) {
      if (!rules_.forget_oldest) return context.refuse(record, "capacity", rules_.no_room);
      forget_oldest(context);
    }
    remember(hash, time_ms, context);
    return context.forward(record);
  }

  bool repeats(const Hash128& hash, int64_t time_ms, KeyContext& context) const {
    const auto count = load<uint32_t>(context.peek());
    bool found = false;
    for (uint32_t index = 0; index < count; ++index) {
      const uint8_t* at = entry(context.peek(), index);
      if (!rules_.fields.empty() && !(load<Hash128>(at + hash_at) == hash)) continue;
      if (elapsed_ms(time_ms, first_of(at)) >= rules_.within_ms || elapsed_ms(last_of(at), time_ms) >= rules_.within_ms)
        continue;
      found = true;
      if (rules_.refresh) prolong(index, time_ms, context);
    }
    return found;
  }

  void prolong(uint32_t index, int64_t time_ms, KeyContext& context) const {
    uint8_t* at = entry(context.state().data(), index);
    store(at + first_at, std::min(first_of(at), time_ms));
    store(at + last_at, std::max(last_of(at), time_ms));
    remind(time_ms, context);
  }

  void remember(const Hash128& hash, int64_t time_ms, KeyContext& context) const {
    uint8_t* state = context.state().data();
    const auto count = load<uint32_t>(state);
    uint8_t* at = entry(state, count);
    store(at + first_at, time_ms);
    store(at + last_at, time_ms);
    if (!rules_.fields.empty()) store(at + hash_at, hash);
    store(state, count + 1);
    remind(time_ms, context);
  }

  /// The timer stands where the last repeat of all that is remembered could come.
  void remind(int64_t time_ms, KeyContext& context) const {
    const int64_t passed_ms = later_ms(time_ms, rules_.within_ms - 1);
    if (context.event_timer() == no_timer || context.event_timer() < passed_ms) context.set_event_timer(passed_ms);
  }

  void forget_passed(KeyContext& context) const {
    for (uint32_t index = load<uint32_t>(context.peek()); index-- > 0;)
      if (later_ms(last_of(entry(context.peek(), index)), rules_.within_ms - 1) <= context.watermark_ms())
        remove(index, context);
  }

  void forget_oldest(KeyContext& context) const {
    uint32_t oldest = 0;
    for (uint32_t index = 1; index < rules_.max_values; ++index)
      if (last_of(entry(context.peek(), index)) < last_of(entry(context.peek(), oldest))) oldest = index;
    remove(oldest, context);
    context.note_evicted();
  }

  void remove(uint32_t index, KeyContext& context) const {
    uint8_t* state = context.state().data();
    const uint32_t last = load<uint32_t>(state) - 1;
    if (index != last) std::copy_n(entry(state, last), entry_bytes_, entry(state, index));
    store(state, last);
  }

  DedupRules rules_;
  const Schema& schema_;
  KeyCodec codec_;
  std::span<uint8_t> room_;
  uint32_t entry_bytes_;
};

constexpr uint32_t standard_values = 16;
constexpr uint32_t standard_times = 4;

uint32_t max_values_of(const StepOptions& options) {
  if (options.given("max_values")) return static_cast<uint32_t>(options.integer("max_values"));
  return options.list("fields").empty() ? standard_times : standard_values;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  DedupRules rules;
  for (const Text& name : options.list("fields")) rules.fields.push_back(build.field(name, all_types));
  rules.within_ms = options.integer("within");
  rules.max_values = max_values_of(options);
  rules.refresh = options.boolean("refresh");
  rules.forget_oldest = options.text("full").value == "oldest";
  rules.no_room =
      "step " + build.id() + ": all max_values = " + std::to_string(rules.max_values) + " of the key are remembered";
  if (!build.good()) return nullptr;
  KeyCodec codec(build.input(), rules.fields);
  const std::span<uint8_t> room =
      build.arena().take<uint8_t>(static_cast<size_t>(codec.bytes_max()), build.pool() + ".values", "the values of one record");
  return build.keyed(std::make_unique<Dedup>(std::move(rules), build.input(), std::move(codec), room));
}

constexpr const char* policies[] = {"oldest", "reject"};

constexpr StepOption options[] = {
    {.key = "within",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "A record goes no further if its event time is less than this before or after that of an equal one that "
                      "went on.",
     .example = "within = \"1min\""},
    {.key = "fields",
     .type = StepOptionType::TextList,
     .standard_note = "none: every record of a key equals every other",
     .documentation =
         "The fields whose values must be equal, null being a value like others. They are compared within a key of "
         "`key_by`. What tells records apart for good, such as the id of a message, may as well be in `key_by`.",
     .example = "fields = [\"code\"]"},
    {.key = "refresh",
     .type = StepOptionType::Boolean,
     .standard = "false",
     .documentation = "Whether a repeat prolongs the time: then something goes on again only after a pause of `within`.",
     .example = "refresh = true"},
    {.key = "max_values",
     .type = StepOptionType::Integer,
     .standard_note = "16 with `fields`, otherwise 4",
     .minimum = "1",
     .maximum = "1000",
     .documentation =
         "How many records a key remembers at a time. Those that the watermark has passed by `within` do not count.",
     .example = "max_values = 50"},
    {.key = "full",
     .type = StepOptionType::Choice,
     .standard = "oldest",
     .choices = policies,
     .documentation =
         "When all max_values are in use: the oldest is forgotten, so that its repeats go on, and counted as evicted "
         "(`oldest`), or the new record becomes a dead letter (`reject`).",
     .example = "full = \"reject\""},
};

}  // namespace

const StepKind dedup_step = {
    .verb = "dedup",
    .documentation = "Verb: what repeats within a time goes no further.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
