#include "agent/operators/window_aggregate.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/base/text_writer.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

uint32_t slices_max(const WindowSpec& spec, const WindowSizes& sizes) {
  return static_cast<uint32_t>(spec.max_keys * sizes.slices + 1);
}

std::string slots_reason(const WindowSpec& spec, const WindowSizes& sizes) {
  const bool plain = spec.windows.kind == WindowGrid::Kind::Tumbling;
  return std::to_string(spec.max_keys) + " keys x " + std::to_string(sizes.slices) + (plain ? " open windows" : " slices") +
         " + 1, x " + std::to_string(sizes.slot_bytes) + " bytes";
}

KeyedState make_state(const WindowSpec& spec, const Schema& input, Arena& arena, std::string_view pool) {
  WEIR_ASSERT(WindowAggregate::check(spec, input).empty());
  const WindowSizes sizes = window_sizes(spec, input);
  return KeyedState(slices_max(spec, sizes), static_cast<uint32_t>(sizes.slot_bytes), arena, pool, slots_reason(spec, sizes));
}

}  // namespace

[[gnu::cold]] WindowAggregate::WindowAggregate(WindowSpec spec, const Schema& input, Arena& arena, std::string_view pool)
    : spec_(std::move(spec)),
      input_(input),
      grid_(window_grid(spec_)),
      parts_(slice_parts(spec_)),
      codec_(input, spec_.key_fields),
      schema_(window_schema(spec_, input)),
      layout_(window_layout(spec_, input).text()),
      id_hash_(hash64(as_bytes(spec_.id))),
      state_(make_state(spec_, input, arena, pool)),
      index_(static_cast<uint32_t>(spec_.max_keys), state_.slots(), parts_.clock == SliceParts::none ? 1 : spec_.clocks, arena,
             pool),
      timers_(static_cast<uint32_t>(spec_.max_keys), arena, std::string(pool) + ".timers") {
  const std::string row = std::string(pool) + ".row";
  const std::string row_reason = "1 key and 1 result of " + std::to_string(schema_.size()) + " fields x 16 bytes";
  key_room_ = arena.take<uint8_t>(static_cast<size_t>(codec_.bytes_max()), row, row_reason);
  row_ = arena.take<Value>(schema_.size(), row, row_reason);
  merged_ = arena.take<uint8_t>(static_cast<size_t>(spec_.aggregates.bytes()), row, row_reason);
  const uint32_t clocks = parts_.clock == SliceParts::none ? 1 : spec_.clocks;
  clocks_ = arena.take<Clock>(clocks, std::string(pool) + ".clocks", std::to_string(clocks) + " clocks x 24 bytes");
  std::ranges::fill(clocks_, Clock{});
  restored_ = arena.take<uint32_t>(state_.slots(), std::string(pool) + ".restored",
                                   std::to_string(state_.slots()) + " slices x 4 bytes");
  if (spec_.late == Late::Side) branches_.emplace_back("late");
}

Outcome WindowAggregate::process(const Record& record) {
  processing_ms_ = std::max(processing_ms_, record.processing_ms);
  if (!spec_.processing_time) return take(record);
  Record arrived = record;
  arrived.event_time_ms = processing_ms_;
  return take(arrived);
}

Outcome WindowAggregate::take(const Record& record) {
  const std::optional<int64_t> start_ms = grid_.slice_of(grid_.time_of(record.event_time_ms));
  if (!start_ms) return Outcome::Filtered;
  if (grid_.last_end(*start_ms) <= clock_for(record).gone_ms) return too_late(record);
  const uint32_t slice = find_or_open(codec_.encode(record.values, key_room_), record, *start_ms);
  if (slice == none) return refuse(record);
  update(slice, record);
  return Outcome::Applied;
}

const WindowAggregate::Clock& WindowAggregate::clock_for(const Record& record) const {
  return clocks_[clocks_.size() > 1 ? record.clock : 0];
}

bool WindowAggregate::holds_records(uint32_t slice) const {
  return load<uint64_t>(state_.read(slice).data() + slice_sequence_at) != 0;
}

Silence WindowAggregate::silence_of(uint32_t slice) const {
  const uint8_t* bytes = state_.read(slice).data();
  Silence silence{INT64_MIN, load<uint64_t>(bytes + slice_sequence_at)};
  if (silence.sequence != 0) silence.since_ms = grid_.slice_end(index_.start_of(slice));
  if (parts_.silence == SliceParts::none) return silence;
  const Silence stored = Silence::read(bytes + parts_.silence);
  if (stored.sequence == 0) return silence;
  return {std::max(silence.since_ms, stored.since_ms), std::max(silence.sequence, stored.sequence)};
}

uint32_t WindowAggregate::find_key(Bytes key, uint64_t hash) const {
  return index_.find_key(hash, [&](uint32_t slice) { return as_text(key_of(slice)) == as_text(key); });
}

/// The slice that takes the record, whose windows that have fired are told of it; none if there is no room.
uint32_t WindowAggregate::find_or_open(Bytes key_bytes, const Record& record, int64_t start_ms) {
  const uint64_t hash = hash64(key_bytes);
  uint32_t key = find_key(key_bytes, hash);
  if (key != none) index_.touch(key);
  if (key != none && plain())
    if (const uint32_t slice = index_.find_slice(key, start_ms); slice != none) return slice;
  if (key == none || plain())
    if (!make_room(key)) return none;
  if (key == none) {
    key = index_.add_key(hash, clocks_.size() > 1 ? record.clock : 0);
    // What is gone never fires for this key; what is due, but not gone, fires with its first record.
    index_[key].fired_to_ms = plain() ? INT64_MIN : clock_for(record).gone_ms;
  }
  return plain() ? open_slice(key, key_bytes, start_ms) : open_noting(key, key_bytes, start_ms);
}

/// Of windows that may stay after they have fired.
uint32_t WindowAggregate::open_noting(uint32_t key, Bytes key_bytes, int64_t start_ms) {
  const Clock& clock = clocks_[index_.clock_of(key)];
  // While nothing waits to be handed on, what is gone has fired as well as it ever will.
  if (index_[key].newest != none && !is_due(timers_.time_of(key), clock))
    index_[key].fired_to_ms = std::max(index_[key].fired_to_ms, clock.gone_ms);
  // A key that is half given up (evict = "emit", and no room) takes nothing more for the windows that it has handed on.
  const int64_t fired_to_ms = index_[key].fired_to_ms;
  if (fired_to_ms > clock.reached_ms && grid_.last_end(start_ms) <= fired_to_ms) return none;
  const int64_t home_ms = home_of(key, start_ms, clock);
  uint32_t slice = index_.find_slice(key, home_ms);
  if (slice == none) {
    if (index_[key].newest != none && !make_room(key)) return none;
    slice = open_slice(key, key_bytes, home_ms);
  }
  if (parts_.panes != SliceParts::none && !note_updates(key, key_bytes, start_ms)) {
    reschedule(key, next_firing(key));
    return none;
  }
  if (grid_.first_end_after(start_ms, INT64_MIN).value_or(INT64_MAX) <= clock.gone_ms) ++late_partial_;
  return slice;
}

/// Of a cumulation, what lies before `gone_ms` is one slice wherever it began; a late record goes there.
int64_t WindowAggregate::home_of(uint32_t key, int64_t start_ms, const Clock& clock) const {
  if (grid_.kind() != WindowGrid::Kind::Cumulate || grid_.slice_end(start_ms) > clock.gone_ms) return start_ms;
  const int64_t begin_ms = grid_.start_of(grid_.last_end(start_ms));
  for (uint32_t slice = index_[key].oldest; slice != none; slice = index_.newer(slice))
    if (index_.start_of(slice) >= begin_ms)
      return grid_.slice_end(index_.start_of(slice)) <= clock.gone_ms ? index_.start_of(slice) : start_ms;
  return start_ms;
}

uint32_t WindowAggregate::open_slice(uint32_t key, Bytes key_bytes, int64_t start_ms) {
  const uint32_t slice = state_.take(parts_.key + static_cast<uint32_t>(key_bytes.size()));
  uint8_t* bytes = state_.edit(slice).data();
  store(bytes + slice_start_at, start_ms);
  if (parts_.fired_to != SliceParts::none) store(bytes + parts_.fired_to, index_[key].fired_to_ms);
  if (parts_.early != SliceParts::none) store(bytes + parts_.early, never_early);
  if (parts_.clock != SliceParts::none) store(bytes + parts_.clock, index_.clock_of(key));
  std::ranges::copy(key_bytes, bytes + parts_.key);
  index_.add_slice(key, start_ms, slice);
  return slice;
}

/// Windows that have fired, hold this slice and are not gone will fire again.
bool WindowAggregate::note_updates(uint32_t key, Bytes key_bytes, int64_t start_ms) {
  const int64_t gone_ms = clocks_[index_.clock_of(key)].gone_ms;
  bool updates = false;
  for (std::optional<int64_t> end_ms = grid_.first_end_after(start_ms, gone_ms); end_ms && *end_ms <= index_[key].fired_to_ms;
       end_ms = grid_.first_end_after(start_ms, *end_ms)) {
    const int64_t note_ms = *end_ms - grid_.slice_ms();
    uint32_t note = index_.find_slice(key, note_ms);
    if (note == none) {
      if (!make_room(key)) return false;
      note = open_slice(key, key_bytes, note_ms);
    }
    updates |= note_update(key, note, *end_ms);
  }
  if (updates) ++late_updates_;
  return true;
}

/// Whether the window has fired before: then this is an update.
bool WindowAggregate::note_update(uint32_t key, uint32_t note, int64_t end_ms) {
  uint8_t* at = state_.edit(note).data() + parts_.panes;
  uint32_t panes = load<uint32_t>(at);
  if ((panes & update_is_due) == 0) {
    ++index_[key].updates;
    // If it fired without having a slot to count in, it holds records; otherwise there was nothing to fire.
    if (panes == 0 && has_records(key, end_ms)) panes = 1;
    store(at, panes | update_is_due);
  }
  return (panes & ~update_is_due) > 0;
}

void WindowAggregate::update(uint32_t slice, const Record& record) {
  uint8_t* bytes = state_.edit(slice).data();
  const bool first = load<uint64_t>(bytes + slice_sequence_at) == 0;
  store(bytes + slice_sequence_at, ++sequence_);
  store(bytes + slice_offset_at, std::max(load<uint64_t>(bytes + slice_offset_at), record.offset));
  spec_.aggregates.add(bytes + parts_.aggregates, record);
  if (parts_.silence != SliceParts::none) end_silence(slice, record);
  if (!first && !parts_.any()) return;
  const uint32_t key = index_.key_of(slice);
  if (parts_.fired_to != SliceParts::none) store(bytes + parts_.fired_to, index_[key].fired_to_ms);
  const bool early = parts_.early != SliceParts::none && note_early(slice);
  if (first || early || index_[key].updates > 0) reschedule(key, next_firing(key));
}

/// Slices that stand for windows without records, and are newer than the one that the record went into, know of it as well; so
/// does that one, if it is an older one than the record's own (see home_of()).
void WindowAggregate::end_silence(uint32_t slice, const Record& record) {
  const int64_t begin_ms = grid_.slice_of(grid_.time_of(record.event_time_ms)).value_or(index_.start_of(slice));
  const int64_t since_ms = grid_.slice_end(begin_ms);
  for (uint32_t each = slice; each != none; each = index_.newer(each)) {
    const Silence stored = Silence::read(state_.read(each).data() + parts_.silence);
    if (each == slice ? begin_ms == index_.start_of(slice) : stored.sequence == 0) continue;
    const int64_t before_ms = stored.sequence == 0 ? since_ms : stored.since_ms;
    Silence{std::max(before_ms, since_ms), sequence_}.write(state_.edit(each).data() + parts_.silence);
  }
}

/// Whether an early result of one of the slice's windows is due that was not before.
bool WindowAggregate::note_early(uint32_t slice) {
  const uint32_t key = index_.key_of(slice);
  if (index_[key].noted == slice) return false;
  const int64_t start_ms = index_.start_of(slice);
  const int64_t done_ms = std::max(clocks_[index_.clock_of(key)].reached_ms, index_[key].fired_to_ms);
  bool early = false;
  bool complete = true;
  uint32_t place = index_[key].oldest;
  for (std::optional<int64_t> end_ms = grid_.first_end_after(start_ms, done_ms); end_ms;
       end_ms = grid_.first_end_after(start_ms, *end_ms)) {
    const uint32_t note = early_note_of(key, *end_ms, place);
    if (note == none) complete = false;
    early |= note != none && set_early(note, *end_ms);
  }
  // Not at the ends of time, where windows begin at no time of the grid, nor without room.
  if (complete) index_[key].noted = slice;
  return early;
}

/// The slice with which the window begins, which is opened if need be. None: there is no room, or no such slice. Looks from
/// `place` on, which it moves.
uint32_t WindowAggregate::early_note_of(uint32_t key, int64_t end_ms, uint32_t& place) {
  const int64_t start_ms = grid_.start_of(end_ms);
  if (grid_.slice_of(start_ms) != start_ms || grid_.last_end(start_ms) != end_ms) return none;
  while (place != none && index_.start_of(place) < start_ms) place = index_.newer(place);
  if (place != none && index_.start_of(place) == start_ms) return place;
  if (!state_.full()) return open_slice(key, key_of(index_[key].newest), start_ms);
  ++evicted_;
  return none;
}

/// Of a window that has not ended: whether an early result is due that was not before.
bool WindowAggregate::set_early(uint32_t note, int64_t end_ms) {
  if (load<int64_t>(state_.read(note).data() + parts_.early) != never_early) return false;
  const int64_t start_ms = index_.start_of(note);
  const int64_t reached_ms = std::max(clocks_[index_.clock_of(index_.key_of(note))].reached_ms, start_ms);
  const int64_t rest_ms = spec_.emit_every_ms - (reached_ms - start_ms) % spec_.emit_every_ms;
  if (rest_ms >= end_ms - reached_ms) return false;
  store(state_.edit(note).data() + parts_.early, reached_ms + rest_ms);
  return true;
}

void WindowAggregate::clear_early(uint32_t note) {
  store(state_.edit(note).data() + parts_.early, never_early);
  index_[index_.key_of(note)].noted = none;
}

/// Whether there is room for one more slice and, without a key to keep, for one more key; gives up other keys for it.
bool WindowAggregate::make_room(uint32_t keep_key) {
  while (state_.full() || (keep_key == none && index_.keys_full())) {
    const uint32_t key = index_.least_recent_key();
    if (spec_.evict == Evict::Reject || key == keep_key || !give_up(key)) return false;
  }
  return true;
}

bool WindowAggregate::give_up(uint32_t key) {
  bool alive = true;
  while (alive && spec_.evict == Evict::Emit) {
    const Firing firing = next_firing(key);
    if (firing.why == Firing::Why::Nothing) break;
    if (!next().ready()) return false;
    if (firing.why != Firing::Why::Early) {
      fire(key, firing, true);
      if (plain()) index_[key].fired_to_ms = INT64_MIN;  // it may open again
      alive = release_gone(key, firing.end_ms, plain() ? Firing{} : next_firing(key));
    } else {
      clear_early(firing.slice);
    }
  }
  if (alive) close_key(key);
  ++evicted_;
  return true;
}

Outcome WindowAggregate::too_late(const Record& record) {
  if (spec_.late == Late::Side && late_reader_ != nullptr) return late_reader_->process(record);
  if (spec_.late != Late::DeadLetter) return Outcome::Late;
  refusals().on_refused(record, input_, spec_.id, {"late", "the windows that it belongs to had fired for good"});
  return Outcome::DeadLetter;
}

Outcome WindowAggregate::refuse(const Record& record) {
  TextWriter text(refusal_text_);
  codec_.describe_no_room(spec_.id, spec_.max_keys, "have open windows", record.values, text);
  refusals().on_refused(record, input_, spec_.id, {"capacity", text.text()});
  return Outcome::DeadLetter;
}

bool WindowAggregate::ready() const { return Operator::ready() && (late_reader_ == nullptr || late_reader_->ready()); }

}  // namespace weir
