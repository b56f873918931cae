#include "agent/operators/window_aggregate.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/base/text_writer.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/window_spec.h"

namespace weir {
namespace {

uint32_t windows_max(const WindowSpec& spec, const WindowSizes& sizes) {
  return static_cast<uint32_t>(spec.max_keys * sizes.panes + 1);
}

std::string slots_reason(const WindowSpec& spec, const WindowSizes& sizes) {
  return std::to_string(spec.max_keys) + " keys x " + std::to_string(sizes.panes) + " open windows + 1, x " +
         std::to_string(sizes.slot_bytes) + " bytes";
}

KeyedState make_state(const WindowSpec& spec, const Schema& input, Arena& arena, std::string_view pool) {
  WEIR_ASSERT(WindowAggregate::check(spec, input).empty());
  const WindowSizes sizes = window_sizes(spec, input);
  return KeyedState(windows_max(spec, sizes), static_cast<uint32_t>(sizes.slot_bytes), arena, pool, slots_reason(spec, sizes));
}

int64_t start_of(Bytes window) { return load<int64_t>(window.data() + window_start_at); }
uint64_t offset_of(Bytes window) { return load<uint64_t>(window.data() + window_offset_at); }
uint64_t sequence_of(Bytes window) { return load<uint64_t>(window.data() + window_sequence_at); }

}  // namespace

WindowAggregate::WindowAggregate(WindowSpec spec, const Schema& input, Arena& arena, std::string_view pool)
    : spec_(std::move(spec)),
      input_(input),
      codec_(input, spec_.key_fields),
      schema_(window_schema(spec_, input)),
      layout_(window_layout(spec_, input)),
      key_at_(window_header_bytes + static_cast<uint32_t>(spec_.aggregates.bytes())),
      id_hash_(hash64(as_bytes(spec_.id))),
      state_(make_state(spec_, input, arena, pool)),
      index_(static_cast<uint32_t>(spec_.max_keys), state_.slots(), arena, pool) {
  const std::string row = std::string(pool) + ".row";
  const std::string row_reason = "1 key and 1 result of " + std::to_string(schema_.size()) + " fields x 16 bytes";
  key_room_ = arena.take<uint8_t>(static_cast<size_t>(codec_.bytes_max()), row, row_reason);
  row_ = arena.take<Value>(schema_.size(), row, row_reason);
  due_ =
      arena.take<uint32_t>(state_.slots(), std::string(pool) + ".due", std::to_string(state_.slots()) + " windows x 4 bytes");
}

// ---- records in

Outcome WindowAggregate::process(const Record& record) {
  due_next_ = due_end_ = 0;
  const int64_t start_ms = spec_.windows.start_of(record.event_time_ms);
  if (spec_.windows.last_of(start_ms) <= watermark_ms_) return Outcome::Late;
  const uint32_t window = find_or_open(codec_.encode(record.values, key_room_), start_ms);
  if (window == none) return refuse(record);
  update(window, record);
  return Outcome::Applied;
}

uint32_t WindowAggregate::find_key(Bytes key, uint64_t hash) const {
  return index_.find_key(hash, [&](uint32_t window) { return as_text(key_of(window)) == as_text(key); });
}

uint32_t WindowAggregate::find_or_open(Bytes key, int64_t start_ms) {
  const uint64_t hash = hash64(key);
  uint32_t place = find_key(key, hash);
  if (place != none) {
    index_.touch(place);
    if (uint32_t window = index_.find_window(place, start_ms); window != none) return window;
  }
  if (!make_room(place)) return none;
  if (place == none) place = index_.add_key(hash);
  const uint32_t window = state_.take(key_at_ + static_cast<uint32_t>(key.size()));
  const std::span<uint8_t> bytes = state_.edit(window);
  store(bytes.data() + window_start_at, start_ms);
  std::ranges::copy(key, bytes.begin() + key_at_);
  index_.add_window(place, start_ms, window);
  return window;
}

void WindowAggregate::update(uint32_t window, const Record& record) {
  uint8_t* bytes = state_.edit(window).data();
  store(bytes + window_sequence_at, ++sequence_);
  store(bytes + window_offset_at, std::max(load<uint64_t>(bytes + window_offset_at), record.offset));
  spec_.aggregates.add(bytes + window_header_bytes, record);
}

/// Whether there is room for one more window and, without a key to keep, for one more key; gives up other keys for it.
bool WindowAggregate::make_room(uint32_t keep_key) {
  while (state_.full() || (keep_key == none && index_.keys_full())) {
    const uint32_t key = index_.least_recent_key();
    if (spec_.evict == Evict::Reject || key == keep_key || !give_up(key)) return false;
  }
  return true;
}

bool WindowAggregate::give_up(uint32_t key) {
  for (bool last = false; !last;) {
    const uint32_t window = index_.earliest_window(key);
    last = index_.is_only_window(window);
    if (spec_.evict == Evict::Emit) {
      if (!next().ready()) return false;
      emit(window, true);
    }
    close(window);
  }
  ++evicted_;
  return true;
}

Outcome WindowAggregate::refuse(const Record& record) {
  TextWriter text(refusal_text_);
  codec_.describe_no_room(spec_.id, spec_.max_keys, "have open windows", record.values, text);
  refusals().on_refused(record, input_, spec_.id, {"capacity", text.text()});
  return Outcome::DeadLetter;
}

// ---- results out

bool WindowAggregate::advance(int64_t watermark_ms) {
  watermark_ms_ = std::max(watermark_ms_, watermark_ms);
  while (due_next_ < due_end_ || collect_due()) {
    if (!next().ready()) return false;
    const uint32_t window = due_[due_next_++];
    emit(window, false);
    close(window);
  }
  return true;
}

bool WindowAggregate::collect_due() {
  due_next_ = due_end_ = 0;
  if (index_.start_count() == 0 || spec_.windows.last_of(index_.earliest_start()) > watermark_ms_) return false;
  index_.for_each_earliest([this](uint32_t window) { due_[due_end_++] = window; });
  std::ranges::sort(due_.first(due_end_),
                    [this](uint32_t left, uint32_t right) { return codec_.compare(key_of(left), key_of(right)) < 0; });
  return true;
}

void WindowAggregate::emit(uint32_t window, bool early) {
  const Bytes bytes = state_.read(window);
  const int64_t start_ms = start_of(bytes);
  const bool readable = codec_.decode(key_of(window), row_);
  WEIR_ASSERT(readable);
  size_t field = codec_.size();
  spec_.aggregates.results(bytes.data() + window_header_bytes, row_.subspan(field));
  field += spec_.aggregates.size();
  row_[field++] = Value::of_time(start_ms);
  row_[field++] = Value::of_time(spec_.windows.end_of(start_ms));
  Record result;
  result.values = row_;
  result.event_time_ms = spec_.windows.last_of(start_ms);
  result.offset = offset_of(bytes);
  result.derived = true;
  result.identity = identity_of(window, early);
  (void)next().process(result);  // the account books messages, not results
}

/// Step, key and window start; for a part handed on early also the newest offset, for the window may yield another.
uint64_t WindowAggregate::identity_of(uint32_t window, bool early) const {
  const Bytes bytes = state_.read(window);
  const uint64_t identity = hash_chain(hash64(key_of(window), id_hash_), start_of(bytes));
  return early ? hash_chain(identity, offset_of(bytes)) : identity;
}

void WindowAggregate::close(uint32_t window) {
  index_.remove_window(window);
  state_.release(window);
}

// ---- checkpoints

SnapshotBounds WindowAggregate::snapshot_bounds() const {
  SnapshotBounds bounds = state_.snapshot_bounds();
  bounds.bytes += sizeof(int64_t) + sizeof(uint32_t);
  bounds.blobs += 1;
  return bounds;
}

void WindowAggregate::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(watermark_ms_);
  out.put(state_.slots());
  snapshot.close();
  state_.snapshot(snapshot, op());
}

void WindowAggregate::snapshot_done(uint64_t checkpoint_id, bool committed) { state_.snapshot_done(checkpoint_id, committed); }

Status WindowAggregate::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) {
    if (!own_blob_restored_) return {Code::Corrupt, "window: the operator's own blob is missing"};
    return state_.restore(blob);
  }
  ByteReader in(blob.bytes);
  watermark_ms_ = in.get<int64_t>();
  const auto slots = in.get<uint32_t>();
  if (!in.ok() || !in.at_end() || own_blob_restored_) return {Code::Corrupt, "window: the operator's own blob is malformed"};
  own_blob_restored_ = true;
  if (slots > state_.slots())
    return {
        Code::Incompatible,
        "its room was larger when it was stored; set max_keys (and the source's max_delay) to at least what they were, or give "
        "the step a new id and start once with --allow-non-restored-state",
        static_cast<int>(slots)};
  return {};
}

Status WindowAggregate::restore_finished() {
  state_.restore_finished();
  uint32_t count = 0;
  for (uint32_t window = 0; window < state_.slots(); ++window) {
    if (!state_.used(window)) continue;
    WEIR_TRY(check_restored(window));
    due_[count++] = window;
  }
  // In the order of their last updates, so that the keys stand again in the order in which they would be given up.
  std::ranges::sort(due_.first(count), {}, [this](uint32_t window) { return sequence_of(state_.read(window)); });
  for (uint32_t window : due_.first(count)) WEIR_TRY(index_restored(window));
  return {};
}

Status WindowAggregate::check_restored(uint32_t window) {
  const Bytes bytes = state_.read(window);
  if (bytes.size() < key_at_ || !codec_.decode(key_of(window), row_))
    return {Code::Corrupt, "window: a stored key is malformed"};
  if (spec_.windows.start_of(start_of(bytes)) != start_of(bytes))
    return {Code::Corrupt, "window: a stored window starts where none begins"};
  if (!spec_.aggregates.valid(bytes.data() + window_header_bytes))
    return {Code::Corrupt, "window: a stored accumulator is malformed"};
  return {};
}

Status WindowAggregate::index_restored(uint32_t window) {
  const Bytes bytes = state_.read(window);
  const uint64_t hash = hash64(key_of(window));
  uint32_t place = find_key(key_of(window), hash);
  if (place == none) {
    if (index_.keys_full()) return {Code::Incompatible, "more keys are stored than max_keys allows"};
    place = index_.add_key(hash);
  } else if (index_.find_window(place, start_of(bytes)) != none) {
    return {Code::Corrupt, "window: a key has the same window twice"};
  }
  index_.touch(place);
  index_.add_window(place, start_of(bytes), window);
  sequence_ = std::max(sequence_, sequence_of(bytes));
  return {};
}

}  // namespace weir
