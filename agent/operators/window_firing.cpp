// The part of WindowAggregate that hands results on and gives slices back.
#include <algorithm>

#include "agent/base/hash.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/window_aggregate.h"

namespace weir {
namespace {

int64_t add_saturating(int64_t left, int64_t right) {
  int64_t sum = 0;
  return __builtin_add_overflow(left, right, &sum) ? (right < 0 ? INT64_MIN : INT64_MAX) : sum;
}

/// As a timer, which knows one time that never comes.
int64_t as_timer(int64_t instant_ms) { return std::min(instant_ms, TimerQueue::never - 1); }

}  // namespace

// ---- when

void WindowAggregate::set_watermark(uint32_t clock, int64_t watermark_ms) {
  Clock& moved = clocks_[clock];
  moved.watermark_ms = std::max(moved.watermark_ms, watermark_ms);
  const int64_t now_ms = add_saturating(moved.watermark_ms, 1);
  moved.reached_ms = grid_.time_of(now_ms);
  moved.gone_ms = grid_.time_of(add_saturating(now_ms, -spec_.allowed_lateness_ms));
}

bool WindowAggregate::is_due(int64_t instant_ms, const Clock& clock) const {
  return instant_ms != TimerQueue::never && instant_ms <= add_saturating(clock.watermark_ms, 1);
}

bool WindowAggregate::advance(int64_t watermark_ms) {
  // The end of the input is the end of processing time as well.
  if (spec_.processing_time && watermark_ms != INT64_MAX) return true;
  set_watermark(0, watermark_ms);
  return fire_due();
}

bool WindowAggregate::tick(int64_t processing_ms) {
  if (!spec_.processing_time) return true;
  processing_ms_ = std::max(processing_ms_, processing_ms);
  set_watermark(0, add_saturating(processing_ms_, -1));
  return fire_due();
}

bool WindowAggregate::fire_due() {
  for (uint32_t key = timers_.first(); key != none && is_due(timers_.time_of(key), clocks_[0]); key = timers_.first())
    if (!serve(key)) return false;
  return true;
}

bool WindowAggregate::advance_clock(uint32_t clock, int64_t watermark_ms) {
  set_watermark(clock, watermark_ms);
  for (uint32_t key = first_due_of(clock); key != none; key = first_due_of(clock))
    if (!serve(key)) return false;
  return true;
}

/// A device has few keys: all of them are looked at.
uint32_t WindowAggregate::first_due_of(uint32_t clock) const {
  uint32_t best = none;
  for (uint32_t key = index_.first_of(clock); key != none; key = index_.next_of_clock(key)) {
    const int64_t time_ms = timers_.time_of(key);
    if (!is_due(time_ms, clocks_[clock])) continue;
    if (best == none || time_ms < timers_.time_of(best) || (time_ms == timers_.time_of(best) && key_before(key, best)))
      best = key;
  }
  return best;
}

/// Does what the key's timer, which is due, stands for: a result, or slices that are gone. False if downstream has no room.
bool WindowAggregate::serve(uint32_t key) {
  const Clock& clock = clocks_[index_.clock_of(key)];
  const int64_t timer_ms = timers_.time_of(key);
  const uint32_t slices = state_.live();
  Firing firing = next_firing(key);
  // Not what is due later than the slices that are gone: other keys come before it.
  const bool fires = firing.why != Firing::Why::Nothing && as_timer(grid_.instant_of(firing.at_ms)) <= timer_ms;
  if (fires) {
    const bool overtaken = firing.why == Firing::Why::Early && firing.end_ms <= clock.reached_ms;
    if (!overtaken && !next().ready()) return false;
    if (overtaken)
      clear_early(firing.slice);
    else
      fire(key, firing, false);
    firing = next_firing(key);
  }
  if (!release_gone(key, clock.gone_ms, firing)) return true;
  if (grid_.kind() == WindowGrid::Kind::Cumulate) merge_gone(key, clock.gone_ms, firing);
  reschedule(key, firing);
  // At the ends of time, where sums saturate, a timer may come before what it stands for; once is enough.
  if (!fires && slices == state_.live() && timer_ms == timers_.time_of(key)) set_timer(key, TimerQueue::never);
  return true;
}

WindowAggregate::Firing WindowAggregate::next_firing(uint32_t key) const {
  const WindowIndex::Key& state = index_[key];
  Firing next;
  for (uint32_t slice = state.oldest; slice != none && next.why == Firing::Why::Nothing; slice = index_.newer(slice)) {
    if (silence_of(slice).sequence == 0) continue;
    // Without records it stands for one window, the first that it is part of.
    const int64_t after_ms = holds_records(slice) ? state.fired_to_ms : INT64_MIN;
    const std::optional<int64_t> end_ms = grid_.first_end_after(index_.start_of(slice), after_ms);
    if (end_ms && *end_ms > state.fired_to_ms) next = {Firing::Why::Main, *end_ms, *end_ms, *end_ms, none};
  }
  if (state.updates > 0) next = next_update(key, next);
  return parts_.early == SliceParts::none ? next : next_early(key, next);
}

WindowAggregate::Firing WindowAggregate::next_update(uint32_t key, Firing next) const {
  for (uint32_t slice = index_[key].oldest; slice != none; slice = index_.newer(slice)) {
    if ((load<uint32_t>(state_.read(slice).data() + parts_.panes) & update_is_due) == 0) continue;
    const int64_t end_ms = grid_.slice_end(index_.start_of(slice));
    const bool first = next.why == Firing::Why::Nothing || end_ms < next.at_ms;
    return first ? Firing{Firing::Why::Update, end_ms, end_ms, end_ms, slice} : next;
  }
  return next;
}

WindowAggregate::Firing WindowAggregate::next_early(uint32_t key, Firing next) const {
  for (uint32_t slice = index_[key].oldest; slice != none; slice = index_.newer(slice)) {
    const int64_t at_ms = load<int64_t>(state_.read(slice).data() + parts_.early);
    if (at_ms == never_early || (next.why != Firing::Why::Nothing && at_ms >= next.at_ms)) continue;
    const int64_t end_ms = grid_.last_end(index_.start_of(slice));
    const int64_t least_ms = next.why == Firing::Why::Nothing ? end_ms : std::min(end_ms, next.least_end_ms);
    next = {Firing::Why::Early, at_ms, end_ms, least_ms, slice};
  }
  return next;
}

void WindowAggregate::reschedule(uint32_t key, const Firing& next) {
  int64_t at_ms = retires_at(key);
  if (next.why != Firing::Why::Nothing) at_ms = std::min(at_ms, grid_.instant_of(next.at_ms));
  set_timer(key, as_timer(at_ms));
}

void WindowAggregate::set_timer(uint32_t key, int64_t instant_ms) {
  timers_.set(key, instant_ms, [this](uint32_t one, uint32_t other) { return key_before(one, other); });
}

bool WindowAggregate::key_before(uint32_t key, uint32_t other) const {
  return codec_.compare(key_of(index_[key].newest), key_of(index_[other].newest)) < 0;
}

// ---- what

bool WindowAggregate::has_records(uint32_t key, int64_t end_ms) const {
  const int64_t start_ms = grid_.start_of(end_ms);
  for (uint32_t slice = index_[key].oldest; slice != none && index_.start_of(slice) < end_ms; slice = index_.newer(slice))
    if (index_.start_of(slice) >= start_ms && holds_records(slice)) return true;
  return false;
}

/// Merges the slices of a window in their order, so that the result is the same whenever it is asked for.
WindowAggregate::Contents WindowAggregate::gather(uint32_t key, int64_t end_ms) {
  const int64_t start_ms = grid_.start_of(end_ms);
  Contents contents;
  for (uint32_t slice = index_[key].oldest; slice != none && index_.start_of(slice) < end_ms; slice = index_.newer(slice)) {
    if (index_.start_of(slice) < start_ms) continue;
    contents.newest = slice;
    if (!holds_records(slice)) continue;
    const uint8_t* bytes = state_.read(slice).data();
    contents.offset = std::max(contents.offset, load<uint64_t>(bytes + slice_offset_at));
    if (contents.accumulators == nullptr) {
      contents.accumulators = bytes + parts_.aggregates;
      continue;
    }
    if (contents.accumulators != merged_.data()) {
      std::copy_n(contents.accumulators, merged_.size(), merged_.begin());
      contents.accumulators = merged_.data();
    }
    spec_.aggregates.merge(merged_.data(), bytes + parts_.aggregates);
  }
  return contents;
}

void WindowAggregate::fire(uint32_t key, const Firing& firing, bool given_up) {
  Contents contents = gather(key, firing.end_ms);
  if (contents.accumulators == nullptr && !given_up && may_fire_empty(key)) fill_empty(key, firing.end_ms, contents);
  const int64_t pane = count_pane(key, firing);
  if (contents.accumulators != nullptr) emit(key, firing.end_ms, contents, pane, given_up);
  if (firing.why != Firing::Why::Main) return;
  index_[key].fired_to_ms = firing.end_ms;
  // Where it stays longest.
  if (parts_.fired_to != SliceParts::none && contents.newest != none)
    store(state_.edit(contents.newest).data() + parts_.fired_to, firing.end_ms);
  if (!given_up && may_fire_empty(key)) open_silent(key, firing.end_ms);
}

bool WindowAggregate::may_fire_empty(uint32_t key) const {
  return parts_.silence != SliceParts::none && clocks_[index_.clock_of(key)].watermark_ms != INT64_MAX;
}

/// Of a window without records: aggregates over nothing. If late records may still come, it gets a slice to count panes in.
void WindowAggregate::fill_empty(uint32_t key, int64_t end_ms, Contents& contents) {
  const int64_t note_ms = end_ms - grid_.slice_ms();
  const bool counts = parts_.panes != SliceParts::none && index_.find_slice(key, note_ms) == none && !state_.full();
  if (counts) contents.newest = open_slice(key, key_of(contents.newest), note_ms);
  for (uint32_t slice = index_[key].oldest; slice != none && index_.start_of(slice) < end_ms; slice = index_.newer(slice))
    contents.offset = std::max(contents.offset, load<uint64_t>(state_.read(slice).data() + slice_offset_at));
  contents.accumulators = state_.read(contents.newest).data() + parts_.aggregates;
}

/// The window that follows on the one with this end, and the slice that stands for it; not one that holds no instant, because
/// clocks jump over it.
WindowAggregate::NextWindow WindowAggregate::window_after(int64_t end_ms) const {
  NextWindow window;
  bool hollow = false;
  do {
    // Where windows leave gaps, the next one begins at a hop from this one's start.
    window.slice_ms = grid_.slice_of(end_ms).value_or(grid_.start_of(end_ms) + grid_.hop_ms());
    window.end_ms = grid_.first_end_after(window.slice_ms, end_ms);
    if (!window.end_ms) break;
    end_ms = *window.end_ms;
    hollow = grid_.instant_of(grid_.start_of(end_ms)) == grid_.instant_of(end_ms);
  } while (hollow);
  return window;
}

/// After the window with this end has fired: if the next one has no records, a slice that makes it fire all the same.
void WindowAggregate::open_silent(uint32_t key, int64_t end_ms) {
  const auto [next_ms, next_end_ms] = window_after(end_ms);
  const Firing next = next_firing(key);
  if (!next_end_ms || (next.why == Firing::Why::Main && next.end_ms <= *next_end_ms)) return;
  Silence silence{INT64_MIN, 0};
  uint64_t offset = 0;
  for (uint32_t slice = index_[key].oldest; slice != none && index_.start_of(slice) < *next_end_ms;
       slice = index_.newer(slice)) {
    const Silence known = silence_of(slice);
    silence = {std::max(silence.since_ms, known.since_ms), std::max(silence.sequence, known.sequence)};
    offset = std::max(offset, load<uint64_t>(state_.read(slice).data() + slice_offset_at));
  }
  if (grid_.start_of(*next_end_ms) >= add_saturating(silence.since_ms, spec_.empty_ms)) return;
  uint32_t slice = index_.find_slice(key, next_ms);
  if (slice == none && state_.full()) {
    ++evicted_;
    return;
  }
  if (slice == none) slice = open_slice(key, key_of(index_[key].newest), next_ms);
  uint8_t* bytes = state_.edit(slice).data();
  silence.write(bytes + parts_.silence);
  store(bytes + slice_offset_at, std::max(offset, load<uint64_t>(bytes + slice_offset_at)));
}

int64_t WindowAggregate::count_pane(uint32_t key, const Firing& firing) {
  if (firing.why == Firing::Why::Early) {
    clear_early(firing.slice);
    // A time that was stored for a shorter emit_every may lie before the first of this one; 0 is the main firing's.
    return -std::max<int64_t>(1, (firing.at_ms - index_.start_of(firing.slice)) / spec_.emit_every_ms);
  }
  if (parts_.panes == SliceParts::none) return 0;
  const bool is_update = firing.why == Firing::Why::Update;
  const uint32_t note = is_update ? firing.slice : index_.find_slice(key, firing.end_ms - grid_.slice_ms());
  if (note == none) return 0;  // see note_update()
  uint8_t* at = state_.edit(note).data() + parts_.panes;
  const uint32_t panes = load<uint32_t>(at) & ~update_is_due;
  if (is_update) --index_[key].updates;
  store(at, std::min(panes + 1, update_is_due - 1));
  return is_update ? panes : 0;
}

void WindowAggregate::emit(uint32_t key, int64_t end_ms, const Contents& contents, int64_t pane, bool given_up) {
  const Bytes key_bytes = key_of(contents.newest);
  const bool readable = codec_.decode(key_bytes, row_);
  WEIR_ASSERT(readable);
  size_t field = codec_.size();
  spec_.aggregates.results(contents.accumulators, row_.subspan(field));
  field += spec_.aggregates.size();
  const int64_t end_instant_ms = grid_.instant_of(end_ms);
  row_[field++] = Value::of_time(grid_.instant_of(grid_.start_of(end_ms)));
  row_[field++] = Value::of_time(end_instant_ms);
  if (field < row_.size()) row_[field++] = Value::of_int(pane);
  Record result;
  result.values = row_;
  result.event_time_ms = end_instant_ms - 1;
  result.offset = contents.offset;
  result.derived = true;
  result.identity = identity_of(key_bytes, end_ms);
  if (pane != 0) result.identity = hash_chain(result.identity, pane);
  if (given_up) result.identity = hash_chain(result.identity, contents.offset);  // the window may yield another
  result.processing_ms = processing_ms_;
  result.clock = index_.clock_of(key);
  (void)next().process(result);  // the account books messages, not results
}

/// Step, key and window. In times of the grid: in local time two windows may begin at the same instant.
uint64_t WindowAggregate::identity_of(Bytes key, int64_t end_ms) const {
  const uint64_t identity = hash_chain(hash64(key, id_hash_), grid_.start_of(end_ms));
  return grid_.kind() == WindowGrid::Kind::Tumbling ? identity : hash_chain(identity, end_ms);
}

// ---- slices that are not needed any more

/// Gives back the slices whose last window is gone, and has handed on all it had to say. False if the key went with them.
bool WindowAggregate::release_gone(uint32_t key, int64_t gone_ms, const Firing& next) {
  for (uint32_t slice = index_[key].oldest; slice != none;) {
    const int64_t end_ms = grid_.last_end(index_.start_of(slice));
    if (end_ms > gone_ms || (next.why != Firing::Why::Nothing && end_ms >= next.least_end_ms)) break;
    const uint32_t newer = index_.newer(slice);
    close(slice);
    if (newer == none) return false;
    slice = newer;
  }
  return true;
}

/// Of a cumulation that goes on, the slices whose own windows are gone become one.
void WindowAggregate::merge_gone(uint32_t key, int64_t gone_ms, const Firing& next) {
  uint32_t slice = index_[key].oldest;
  for (uint32_t newer = index_.newer(slice); newer != none; newer = index_.newer(slice)) {
    const int64_t end_ms = grid_.slice_end(index_.start_of(newer));
    if (end_ms > gone_ms || (next.why != Firing::Why::Nothing && end_ms >= next.least_end_ms)) return;
    if (continues(slice, newer))
      merge(slice, newer);
    else
      slice = newer;
  }
}

bool WindowAggregate::continues(uint32_t slice, uint32_t newer) const {
  return grid_.last_end(index_.start_of(slice)) == grid_.last_end(index_.start_of(newer));
}

void WindowAggregate::merge(uint32_t into, uint32_t from) {
  uint8_t* bytes = state_.edit(into).data();
  const uint8_t* other = state_.read(from).data();
  if (parts_.silence != SliceParts::none) {
    const Silence one = silence_of(into), two = silence_of(from);
    Silence{std::max(one.since_ms, two.since_ms), std::max(one.sequence, two.sequence)}.write(bytes + parts_.silence);
  }
  for (uint32_t at : {slice_sequence_at, slice_offset_at})
    store(bytes + at, std::max(load<uint64_t>(bytes + at), load<uint64_t>(other + at)));
  store(bytes + parts_.fired_to, std::max(load<int64_t>(bytes + parts_.fired_to), load<int64_t>(other + parts_.fired_to)));
  spec_.aggregates.merge(bytes + parts_.aggregates, other + parts_.aggregates);
  close(from);
}

/// The instant at which there will be something to give back.
int64_t WindowAggregate::retires_at(uint32_t key) const {
  const uint32_t oldest = index_[key].oldest;
  int64_t end_ms = grid_.last_end(index_.start_of(oldest));
  if (grid_.kind() == WindowGrid::Kind::Cumulate)
    if (const uint32_t newer = index_.newer(oldest); newer != none && continues(oldest, newer))
      end_ms = std::min(end_ms, grid_.slice_end(index_.start_of(newer)));
  return add_saturating(grid_.instant_of(end_ms), spec_.allowed_lateness_ms);
}

void WindowAggregate::close(uint32_t slice) {
  const uint32_t key = index_.key_of(slice);
  if (index_[key].newest == index_[key].oldest) set_timer(key, TimerQueue::never);
  index_.remove_slice(slice);
  state_.release(slice);
}

void WindowAggregate::close_key(uint32_t key) {
  for (uint32_t slice = index_[key].oldest; slice != none;) {
    const uint32_t newer = index_.newer(slice);
    close(slice);
    slice = newer;
  }
}

}  // namespace weir
