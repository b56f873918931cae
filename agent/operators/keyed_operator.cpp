#include "agent/operators/keyed_operator.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t sequence_at = 0;
constexpr uint32_t offset_at = 8;
constexpr uint32_t newest_at = 16;
constexpr uint32_t header_bytes = 24;

std::string slots_reason(const KeyedSpec& spec, uint64_t slot_bytes) {
  return std::to_string(spec.max_keys) + " keys x " + std::to_string(slot_bytes) + " bytes";
}

StateLayout layout_of(const KeyedSpec& spec, const KeyedFunction& function, const KeyCodec& codec) {
  StateLayout layout;
  for (size_t index = 0; index < codec.size(); ++index) layout.key.push_back(codec[index]);
  layout.own.add_time("processing_time");
  layout.own.add_u64("late_partial");
  layout.own.add_u64("late_updates");
  layout.own.add_u32("slots");
  layout.own.add_u32("clocks");
  layout.fields.add_u64("step.sequence");
  layout.fields.add_u64("step.offset");
  layout.fields.add_time("step.newest");
  if (spec.clocks > 1) layout.fields.add_u32("step.clock");
  if (function.uses_event_timers()) layout.fields.add_time("step.event_timer");
  if (function.uses_processing_timers()) layout.fields.add_time("step.processing_timer");
  const uint64_t around = layout.fields.bytes();
  function.describe(layout);
  // A state with bytes that have no name could neither be shown nor be taken over.
  WEIR_ASSERT(layout.fields.bytes() - around == function.state_bytes());
  return layout;
}

}  // namespace

// ---- what a function sees of its key

std::span<uint8_t> KeyContext::state() {
  return owner_.state_.edit(slot_).subspan(owner_.parts_.state, owner_.parts_.key - owner_.parts_.state);
}

const uint8_t* KeyContext::peek() const { return owner_.state_.read(slot_).data() + owner_.parts_.state; }

std::span<const Value> KeyContext::key() const {
  const bool readable = owner_.codec_.decode(owner_.key_of(slot_), owner_.key_values_);
  WEIR_ASSERT(readable);
  return owner_.key_values_;
}

int64_t KeyContext::watermark_ms() const { return owner_.watermarks_ms_[owner_.index_.clock_of(slot_)]; }
int64_t KeyContext::processing_ms() const { return owner_.processing_ms_; }
int64_t KeyContext::event_timer() const { return owner_.event_timers_.time_of(slot_); }
int64_t KeyContext::processing_timer() const { return owner_.processing_timers_.time_of(slot_); }

void KeyContext::set_event_timer(int64_t time_ms) {
  owner_.set_timer(slot_, owner_.event_timers_, owner_.parts_.event_timer, time_ms);
}

void KeyContext::set_processing_timer(int64_t time_ms) {
  owner_.set_timer(slot_, owner_.processing_timers_, owner_.parts_.processing_timer, time_ms);
}

Outcome KeyContext::forward(const Record& record) { return owner_.next().process(record); }

Outcome KeyContext::forward(const Record& record, std::span<const Value> values) {
  Record changed = record;
  changed.values = values;
  return owner_.next().process(changed);
}

void KeyContext::emit(std::span<const Value> values, int64_t event_time_ms, uint64_t ordinal) {
  owner_.emit(slot_, values, event_time_ms, ordinal);
}

Outcome KeyContext::refuse(const Record& record, const char* reason, std::string_view detail) {
  owner_.refusals().on_refused(record, input_, owner_.spec_.id, {reason, detail});
  return Outcome::DeadLetter;
}

void KeyContext::note_evicted() { ++owner_.evicted_; }
void KeyContext::note_late_partial() { ++owner_.late_partial_; }
void KeyContext::note_late_update() { ++owner_.late_updates_; }

// ---- construction

KeyedOperator::Parts KeyedOperator::parts_of(const KeyedSpec& spec, const KeyedFunction& function) {
  Parts parts;
  uint32_t at = header_bytes;
  auto take = [&at](bool used, uint32_t bytes) {
    const uint32_t begin = at;
    at += used ? bytes : 0;
    return begin;
  };
  parts.clock = take(spec.clocks > 1, sizeof(uint32_t));
  parts.event_timer = take(function.uses_event_timers(), sizeof(int64_t));
  parts.processing_timer = take(function.uses_processing_timers(), sizeof(int64_t));
  parts.state = take(true, function.state_bytes());
  parts.key = at;
  return parts;
}

uint64_t KeyedOperator::slot_bytes(const KeyedSpec& spec, const KeyedFunction& function, const Schema& input) {
  return parts_of(spec, function).key + KeyCodec(input, spec.key_fields).bytes_max();
}

[[gnu::cold]] KeyedOperator::KeyedOperator(KeyedSpec spec, std::unique_ptr<KeyedFunction> function, const Schema& input,
                                           Arena& arena, std::string_view pool)
    : spec_(std::move(spec)),
      input_(input),
      function_(std::move(function)),
      parts_(parts_of(spec_, *function_)),
      codec_(input, spec_.key_fields),
      second_codec_(spec_.second_input == nullptr ? input : *spec_.second_input, spec_.second_key_fields),
      layout_(layout_of(spec_, *function_, codec_).text()),
      id_hash_(hash64(as_bytes(spec_.id))),
      state_(spec_.max_keys, static_cast<uint32_t>(slot_bytes(spec_, *function_, input)), arena, pool,
             slots_reason(spec_, slot_bytes(spec_, *function_, input))),
      index_(spec_.max_keys, spec_.clocks, arena, pool),
      event_timers_(function_->uses_event_timers() ? spec_.max_keys : 0, arena, std::string(pool) + ".event-timers"),
      processing_timers_(function_->uses_processing_timers() ? spec_.max_keys : 0, arena,
                         std::string(pool) + ".processing-timers") {
  const std::string row = std::string(pool) + ".row";
  key_room_ = arena.take<uint8_t>(static_cast<size_t>(codec_.bytes_max()), row, "1 key");
  key_values_ = arena.take<Value>(codec_.size(), row, "");
  restored_ = arena.take<uint32_t>(spec_.max_keys, std::string(pool) + ".keys", "");
  watermarks_ms_ = arena.take<int64_t>(spec_.clocks, row, "");
  std::ranges::fill(watermarks_ms_, INT64_MIN);
  if (spec_.late == Late::Side) branches_.emplace_back("late");
}

// ---- records in

uint32_t KeyedOperator::fan_out() const { return function_->fan_out() * (spec_.evict == Evict::Emit ? 2 : 1); }

Outcome KeyedOperator::process(const Record& record) {
  return process(record, {input_, codec_, &KeyedFunction::process, true});
}

Outcome KeyedOperator::SecondInput::process(const Record& record) {
  const Input input{*owner_.spec_.second_input, owner_.second_codec_, &KeyedFunction::process_second, false};
  return owner_.process(record, input);
}

Outcome KeyedOperator::process(const Record& record, const Input& input) {
  const Outcome outcome = take(record, input);
  return outcome == Outcome::Late ? late(record, input) : outcome;
}

Outcome KeyedOperator::late(const Record& record, const Input& input) {
  if (spec_.late == Late::Side && late_next_ != nullptr && input.has_late_branch) return late_next_->process(record);
  if (spec_.late != Late::DeadLetter) return Outcome::Late;
  refusals().on_refused(record, input.schema, spec_.id, {"late", "what it belongs to had fired already"});
  return Outcome::DeadLetter;
}

Outcome KeyedOperator::take(const Record& record, const Input& input) {
  processing_ms_ = std::max(processing_ms_, record.processing_ms);
  const Bytes key = input.codec.encode(record.values, key_room_);
  const uint64_t hash = hash64(key);
  uint32_t slot = find(key, hash);
  const bool is_new = slot == none;
  if (is_new) {
    const uint32_t clock = spec_.clocks > 1 ? record.clock : 0;
    if (const Outcome outcome = function_->admit(record, watermarks_ms_[clock]); outcome != Outcome::Applied) return outcome;
    if (!make_room()) return refuse(record, input);
    slot = add(key, hash, clock);
  } else if (function_->needs_order() && record.event_time_ms < load<int64_t>(state_.read(slot).data() + newest_at)) {
    return Outcome::Late;
  }
  note(slot, record);
  KeyContext context(*this, input.schema, slot, is_new);
  const Outcome outcome = ((*function_).*input.process)(record, context);
  finish(context);
  return outcome;
}

uint32_t KeyedOperator::find(Bytes key, uint64_t hash) const {
  return index_.find(hash, [&](uint32_t slot) { return as_text(key_of(slot)) == as_text(key); });
}

uint32_t KeyedOperator::add(Bytes key, uint64_t hash, uint32_t clock) {
  const uint32_t slot = state_.take(parts_.key + static_cast<uint32_t>(key.size()));
  uint8_t* bytes = state_.edit(slot).data();
  store(bytes + newest_at, INT64_MIN);
  if (spec_.clocks > 1) store(bytes + parts_.clock, clock);
  if (function_->uses_event_timers()) store(bytes + parts_.event_timer, no_timer);
  if (function_->uses_processing_timers()) store(bytes + parts_.processing_timer, no_timer);
  std::ranges::copy(key, bytes + parts_.key);
  index_.add(slot, hash, clock);
  return slot;
}

void KeyedOperator::note(uint32_t slot, const Record& record) {
  uint8_t* bytes = state_.edit(slot).data();
  store(bytes + sequence_at, ++sequence_);
  store(bytes + offset_at, std::max(load<uint64_t>(bytes + offset_at), record.offset));
  store(bytes + newest_at, std::max(load<int64_t>(bytes + newest_at), record.event_time_ms));
  index_.touch(slot);
}

bool KeyedOperator::make_room() {
  if (!state_.full()) return true;
  if (spec_.evict == Evict::Reject) return false;
  const uint32_t slot = index_.least_recent();
  if (spec_.evict == Evict::Emit) {
    if (!next().ready()) return false;
    KeyContext context(*this, input_, slot, false);
    function_->on_evicted(context);
  }
  forget(slot);
  ++evicted_;
  return true;
}

Outcome KeyedOperator::refuse(const Record& record, const Input& input) {
  TextWriter text(refusal_text_);
  input.codec.describe_no_room(spec_.id, spec_.max_keys, "are in use", record.values, text);
  refusals().on_refused(record, input.schema, spec_.id, {"capacity", text.text()});
  return Outcome::DeadLetter;
}

void KeyedOperator::finish(const KeyContext& context) {
  if (context.forgotten_) forget(context.slot_);
}

void KeyedOperator::forget(uint32_t slot) {
  set_timer(slot, event_timers_, parts_.event_timer, no_timer);
  set_timer(slot, processing_timers_, parts_.processing_timer, no_timer);
  index_.remove(slot);
  state_.release(slot);
}

// ---- results out

void KeyedOperator::emit(uint32_t slot, std::span<const Value> values, int64_t event_time_ms, uint64_t ordinal) {
  Record result;
  result.values = values;
  result.event_time_ms = event_time_ms;
  result.offset = load<uint64_t>(state_.read(slot).data() + offset_at);
  result.derived = true;
  result.identity = hash_chain(hash_chain(hash64(key_of(slot), id_hash_), event_time_ms), ordinal);
  result.processing_ms = processing_ms_;
  result.clock = index_.clock_of(slot);
  (void)next().process(result);  // the account books messages, not results
}

void KeyedOperator::set_timer(uint32_t slot, TimerQueue& timers, uint32_t part, int64_t time_ms) {
  if (timers.time_of(slot) == time_ms) return;
  timers.set(slot, time_ms, [this](uint32_t a, uint32_t b) { return key_before(a, b); });
  store(state_.edit(slot).data() + part, time_ms);
}

void KeyedOperator::fire(uint32_t slot, TimerQueue& timers, uint32_t part,
                         void (KeyedFunction::*handler)(int64_t, KeyContext&)) {
  const int64_t time_ms = timers.time_of(slot);
  set_timer(slot, timers, part, no_timer);
  KeyContext context(*this, input_, slot, false);
  ((*function_).*handler)(time_ms, context);
  finish(context);
}

bool KeyedOperator::fire_due(TimerQueue& timers, uint32_t part, int64_t now_ms,
                             void (KeyedFunction::*handler)(int64_t, KeyContext&)) {
  for (uint32_t slot = timers.first(); slot != none && timers.time_of(slot) <= now_ms; slot = timers.first()) {
    if (!next().ready()) return false;
    fire(slot, timers, part, handler);
  }
  return true;
}

bool KeyedOperator::advance(int64_t watermark_ms) {
  watermarks_ms_[0] = std::max(watermarks_ms_[0], watermark_ms);
  return fire_due(event_timers_, parts_.event_timer, watermarks_ms_[0], &KeyedFunction::on_event_timer);
}

bool KeyedOperator::advance_clock(uint32_t clock, int64_t watermark_ms) {
  watermarks_ms_[clock] = std::max(watermarks_ms_[clock], watermark_ms);
  if (!function_->uses_event_timers()) return true;
  for (uint32_t slot = first_due_of(clock); slot != none; slot = first_due_of(clock)) {
    if (!next().ready()) return false;
    fire(slot, event_timers_, parts_.event_timer, &KeyedFunction::on_event_timer);
  }
  return true;
}

/// A device has few keys: all of them are looked at.
uint32_t KeyedOperator::first_due_of(uint32_t clock) const {
  uint32_t best = none;
  for (uint32_t slot = index_.first_of(clock); slot != none; slot = index_.next_of_clock(slot)) {
    const int64_t time_ms = event_timers_.time_of(slot);
    if (time_ms > watermarks_ms_[clock] || time_ms == no_timer) continue;
    if (best == none || time_ms < event_timers_.time_of(best) ||
        (time_ms == event_timers_.time_of(best) && key_before(slot, best)))
      best = slot;
  }
  return best;
}

bool KeyedOperator::tick(int64_t processing_ms) {
  processing_ms_ = std::max(processing_ms_, processing_ms);
  return fire_due(processing_timers_, parts_.processing_timer, processing_ms_, &KeyedFunction::on_processing_timer);
}

// ---- checkpoints

SnapshotBounds KeyedOperator::snapshot_bounds() const {
  SnapshotBounds bounds = state_.snapshot_bounds();
  const size_t keyed_bytes = bounds.bytes;
  bounds.bytes += 3 * sizeof(int64_t) + 2 * sizeof(uint32_t) + watermarks_ms_.size_bytes();
  bounds.blobs += 1;
  bounds.blob_bytes = std::max(bounds.blob_bytes, bounds.bytes - keyed_bytes);
  return bounds;
}

void KeyedOperator::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(processing_ms_);
  out.put(late_partial_);
  out.put(late_updates_);
  out.put(state_.slots());
  out.put(spec_.clocks);
  for (int64_t watermark_ms : watermarks_ms_) out.put(watermark_ms);
  snapshot.close();
  state_.snapshot(snapshot, op());
}

Status KeyedOperator::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) {
    if (!own_blob_restored_) return {Code::Corrupt, "keyed step: the operator's own blob is missing"};
    return adoption_ != nullptr ? adoption_->restore(blob) : state_.restore(blob);
  }
  ByteReader in(blob.bytes);
  processing_ms_ = in.get<int64_t>();
  late_partial_ = in.get<uint64_t>();
  late_updates_ = in.get<uint64_t>();
  const auto slots = in.get<uint32_t>();
  const auto clocks = in.get<uint32_t>();
  if (in.ok() && clocks > spec_.clocks)
    return {Code::Incompatible, "there were more device clocks when it was stored; set event_time.max_devices to what it was",
            static_cast<int>(clocks)};
  for (uint32_t clock = 0; in.ok() && clock < clocks; ++clock) watermarks_ms_[clock] = in.get<int64_t>();
  if (!in.ok() || !in.at_end() || own_blob_restored_)
    return {Code::Corrupt, "keyed step: the operator's own blob is malformed"};
  own_blob_restored_ = true;
  // Keys that stood in slots that there are no more may still find room in others.
  if (slots > state_.slots() && adoption_ == nullptr) WEIR_TRY(adopt(StateLayout::parse(layout_).value()));
  return adoption_ != nullptr ? adoption_->open(slots) : Status();
}

Status KeyedOperator::restore_finished() {
  if (adoption_ != nullptr) WEIR_TRY(adoption_->finish(state_));
  adoption_ == nullptr ? state_.restore_finished() : adoption_.reset();
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < state_.slots(); ++slot) {
    if (!state_.used(slot)) continue;
    WEIR_TRY(check_restored(slot));
    restored_[count++] = slot;
  }
  // In the order of their last records, so that the keys stand again in the order in which they would be given up.
  std::ranges::sort(restored_.first(count), {},
                    [this](uint32_t slot) { return load<uint64_t>(state_.read(slot).data() + sequence_at); });
  for (uint32_t slot : restored_.first(count)) {
    if (find(key_of(slot), hash64(key_of(slot))) != none) return {Code::Corrupt, "keyed step: a key is stored twice"};
    index_restored(slot);
  }
  return {};
}

Status KeyedOperator::check_restored(uint32_t slot) {
  const Bytes bytes = state_.read(slot);
  if (bytes.size() < parts_.key || !codec_.decode(key_of(slot), key_values_))
    return {Code::Corrupt, "keyed step: a stored key is malformed"};
  if (spec_.clocks > 1 && load<uint32_t>(bytes.data() + parts_.clock) >= spec_.clocks)
    return {Code::Corrupt, "keyed step: a stored key follows a clock that does not exist"};
  if (!function_->valid(bytes.data() + parts_.state)) return {Code::Corrupt, "keyed step: a key's stored state is malformed"};
  return {};
}

void KeyedOperator::index_restored(uint32_t slot) {
  const uint8_t* bytes = state_.read(slot).data();
  index_.add(slot, hash64(key_of(slot)), spec_.clocks > 1 ? load<uint32_t>(bytes + parts_.clock) : 0);
  sequence_ = std::max(sequence_, load<uint64_t>(bytes + sequence_at));
  auto ties = [this](uint32_t a, uint32_t b) { return key_before(a, b); };
  if (function_->uses_event_timers()) event_timers_.set(slot, load<int64_t>(bytes + parts_.event_timer), ties);
  if (function_->uses_processing_timers()) processing_timers_.set(slot, load<int64_t>(bytes + parts_.processing_timer), ties);
}

}  // namespace weir
