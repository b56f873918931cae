#include "agent/operators/device_clocks.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/model/state_layout.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

StateLayout layout_of(const Field& device) {
  StateLayout layout;
  layout.kind = "clocks";
  layout.key.push_back(device);
  layout.own.add_time("watermark");
  layout.own.add_u32("slots");
  layout.fields.add_time("newest");
  return layout;
}

}  // namespace

[[gnu::cold]] DeviceClocks::DeviceClocks(const Schema& input, uint32_t field, uint32_t devices_max, int64_t max_delay_ms,
                                         int64_t idle_ms, Arena& arena, std::string_view pool)
    : codec_(input, {field}),
      layout_(layout_of(input[field]).text()),
      max_delay_ms_(max_delay_ms),
      idle_ms_(idle_ms),
      state_(devices_max, static_cast<uint32_t>(sizeof(int64_t) + codec_.bytes_max()), arena, pool,
             std::to_string(devices_max) + " devices x " + std::to_string(sizeof(int64_t) + codec_.bytes_max()) + " bytes"),
      table_(devices_max, arena, std::string(pool) + ".key-table"),
      clocks_(
          arena.take<Clock>(devices_max, std::string(pool) + ".clocks", std::to_string(devices_max) + " devices x 16 bytes")),
      key_room_(arena.take<uint8_t>(static_cast<size_t>(codec_.bytes_max()), std::string(pool) + ".clocks", "")) {}

int64_t DeviceClocks::newest_of(uint32_t slot) const { return load<int64_t>(state_.read(slot).data()); }

int64_t DeviceClocks::watermark_of(int64_t newest_ms) const {
  WatermarkTracker tracker(max_delay_ms_, 0);
  if (newest_ms == INT64_MIN) return INT64_MIN;
  tracker.on_record(newest_ms);
  return tracker.watermark();
}

int64_t DeviceClocks::watermark(uint32_t clock) const {
  if (clock == 0) return least_ms_;
  return state_.used(clock - 1) ? watermark_of(newest_of(clock - 1)) : INT64_MIN;
}

void DeviceClocks::start(int64_t boot_ms) {
  boot_ms_ = boot_ms;
  for (Clock& clock : clocks_) clock.active_boot_ms = boot_ms;
}

uint32_t DeviceClocks::clock_of(std::span<const Value> values) {
  const Bytes key = codec_.encode(values, key_room_);
  const uint64_t hash = hash64(key);
  uint32_t slot = table_.find(hash, [&](uint32_t other) { return as_text(key_of(other)) == as_text(key); });
  if (slot != KeyTable::none) return slot + 1;
  slot = state_.take(static_cast<uint32_t>(sizeof(int64_t) + key.size()));
  if (slot == KeyedState::none) return none;
  std::span<uint8_t> bytes = state_.edit(slot);
  store(bytes.data(), INT64_MIN);
  std::ranges::copy(key, bytes.begin() + sizeof(int64_t));
  table_.insert(hash, slot);
  clocks_[slot] = {boot_ms_, false};
  return slot + 1;
}

void DeviceClocks::on_record(uint32_t clock, int64_t event_time_ms, int64_t boot_ms) {
  const uint32_t slot = clock - 1;
  boot_ms_ = std::max(boot_ms_, boot_ms);
  clocks_[slot] = {boot_ms, false};
  if (event_time_ms <= newest_of(slot)) return;
  store(state_.edit(slot).data(), event_time_ms);
  // Only the device that holds the others back can let them go on; a new one begins with what they have reached.
  if (least_slot_ == none || least_slot_ == slot || watermark_of(event_time_ms) < least_ms_) find_least();
}

bool DeviceClocks::find_least() {
  int64_t least_ms = INT64_MAX;
  least_slot_ = none;
  for (uint32_t slot = 0; slot < state_.slots(); ++slot) {
    if (!state_.used(slot) || clocks_[slot].idle || newest_of(slot) == INT64_MIN) continue;
    const int64_t watermark_ms = watermark_of(newest_of(slot));
    if (watermark_ms >= least_ms) continue;
    least_ms = watermark_ms;
    least_slot_ = slot;
  }
  if (least_slot_ == none || least_ms <= least_ms_) return false;
  least_ms_ = least_ms;
  return true;
}

bool DeviceClocks::check_idle(int64_t boot_ms) {
  boot_ms_ = std::max(boot_ms_, boot_ms);
  if (idle_ms_ <= 0) return false;
  bool changed = false;
  for (uint32_t slot = 0; slot < state_.slots(); ++slot) {
    Clock& clock = clocks_[slot];
    if (!state_.used(slot) || clock.idle || boot_ms - clock.active_boot_ms <= idle_ms_) continue;
    clock.idle = changed = true;
  }
  return changed && find_least();
}

SnapshotBounds DeviceClocks::snapshot_bounds() const {
  SnapshotBounds bounds = state_.snapshot_bounds();
  const size_t keyed_bytes = bounds.bytes;
  bounds.bytes += sizeof(int64_t) + sizeof(uint32_t);
  bounds.blobs += 1;
  bounds.blob_bytes = std::max(bounds.blob_bytes, bounds.bytes - keyed_bytes);
  return bounds;
}

void DeviceClocks::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(least_ms_);
  out.put(state_.slots());
  snapshot.close();
  state_.snapshot(snapshot, op());
}

Status DeviceClocks::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) return state_.restore(blob);
  ByteReader in(blob.bytes);
  least_ms_ = in.get<int64_t>();
  const auto slots = in.get<uint32_t>();
  if (!in.ok() || !in.at_end()) return {Code::Corrupt, "clocks: the own blob is malformed"};
  if (slots > state_.slots())
    return {Code::Incompatible, "event_time.max_devices was larger when it was stored; set it to at least what it was",
            static_cast<int>(slots)};
  return {};
}

Status DeviceClocks::restore_finished() {
  state_.restore_finished();
  Value value[1];
  for (uint32_t slot = 0; slot < state_.slots(); ++slot) {
    if (!state_.used(slot)) continue;
    if (state_.read(slot).size() < sizeof(int64_t) || !codec_.decode(key_of(slot), value))
      return {Code::Corrupt, "clocks: a stored device is malformed"};
    table_.insert(hash64(key_of(slot)), slot);
  }
  const int64_t stored_ms = least_ms_;
  find_least();
  least_ms_ = std::max(least_ms_, stored_ms);
  return {};
}

}  // namespace weir
