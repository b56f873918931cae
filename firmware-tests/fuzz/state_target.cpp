// The stored blobs of the steps of a pipeline: input[0] chooses the pipeline, then come blobs, each as { uint8 part
// (graph_part: what the graph stores of itself), uint8 kind, uint8 index, uint8 checkpoint, uint16 size, bytes }.
#include "firmware-tests/fuzz/state_target.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/support/step_rig.h"

namespace weir::fuzz {
namespace {

#define WEIR_STEP(id, text) "[[pipeline.step]]\nid = \"" id "\"\nkey_by = [\"device\"]\nmax_keys = 4\n" text "\n"

constexpr const char* pipelines[] = {
    WEIR_STEP("calm", "deadband = { field = \"value\", absolute = 0.5, max_silence = \"10min\" }")
        WEIR_STEP("once", "dedup = { within = \"1min\", fields = [\"value\"], max_values = 4 }")
            WEIR_STEP("changes", "edge = { value = \"value\" }"),
    WEIR_STEP("quiet", "debounce = { field = \"value\", time = \"50ms\" }"),
    WEIR_STEP("ordered", "sort = { max_records = 4 }"),
    WEIR_STEP("usual", "zscore = { field = \"value\" }")
        WEIR_STEP("hot", "alarm = { on = \"value > 80\", off = \"value < 75\" }"),
    WEIR_STEP("overshoot", "pattern = { sequence = { low = \"value < 10\", high = \"value > 90\" }, within = \"1min\" }"),
    WEIR_STEP("w",
              "window = { tumbling = \"1s\" }\naggregate = { n = \"count()\", s = \"sum(value)\", p = \"median(value)\", d = "
              "\"distinct(value, 8)\", c = \"collect(value, 2)\", l = \"slope(value)\" }"),
    WEIR_STEP("w", "window = { session = \"1s\" }\naggregate = { n = \"count()\", r = \"increase(value)\" }"),
    WEIR_STEP("w", "window = { hopping = \"10s\", every = \"5s\" }\naggregate = { n = \"count()\", t = \"last(value)\" }"),
    WEIR_STEP("w", "window = { sliding = \"10s\", max_records = 3 }\naggregate = { m = \"max(value)\" }"),
    WEIR_STEP("w", "window = { open = \"value > 0\", close = \"value == 0\" }\naggregate = { m = \"first(value)\" }"),
    WEIR_STEP("w", "window = { count = 3 }\naggregate = { n = \"avg(value)\" }"),
    WEIR_STEP("grid", "resample = { every = \"1s\", fields = [\"value\"], max_gap = \"3s\" }"),
    WEIR_STEP("calm", "smooth = { field = \"value\", method = \"moving-average\", samples = 3 }")
        WEIR_STEP("trend", "regress = { field = \"value\", samples = 4, slope = \"per_second\" }"),
    "[[pipeline.step]]\nid = \"busiest\"\ntop = { field = \"device\", k = 2, window = \"1min\" }\n",
};

#undef WEIR_STEP

struct FoundBlob {
  uint8_t part = 0;
  StoredBlob blob;
};

/// In the order in which a store hands them out.
std::vector<FoundBlob> read_blobs(ByteReader& in) {
  std::vector<FoundBlob> found;
  while (in.remaining() > 0) {
    FoundBlob each;
    each.part = in.get<uint8_t>();
    each.blob.kind = static_cast<BlobKind>(in.get<uint8_t>() % 3 + 1);
    each.blob.index = in.get<uint8_t>();
    each.blob.checkpoint_id = in.get<uint8_t>();
    each.blob.bytes = in.get_bytes(in.get<uint16_t>());
    if (!in.ok()) break;
    found.push_back(each);
  }
  const auto place = [](const FoundBlob& each) {
    const bool delta = each.blob.kind == BlobKind::Delta;
    return std::tuple(each.part, each.blob.kind, delta ? each.blob.checkpoint_id : 0, each.blob.index);
  };
  std::ranges::stable_sort(found, {}, place);
  const auto repeats = [&](const FoundBlob& a, const FoundBlob& b) { return place(a) == place(b); };
  found.erase(std::unique(found.begin(), found.end(), repeats), found.end());
  return found;
}

bool restore(test::StepRig& rig, const std::vector<FoundBlob>& blobs) {
  const std::vector<Stateful*> parts = rig.stateful();
  for (const FoundBlob& each : blobs) {
    if (each.part == graph_part) {
      ByteReader in(each.blob.bytes);
      if (!rig.graph().restore(in)) return false;
    } else if (each.part < parts.size() && !parts[each.part]->restore(each.blob).ok()) {
      return false;
    }
  }
  return std::ranges::all_of(parts, [](Stateful* part) { return part->restore_finished().ok(); });
}

constexpr const char* later_messages =
    "{\"device\":\"a\",\"value\":5,\"ts\":61000}\n{\"device\":\"b\",\"value\":95.5,\"ts\":62000}\n"
    "{\"device\":\"a\",\"value\":99,\"ts\":63500}\n{\"device\":\"c\",\"value\":-1,\"ts\":60500}\n"
    "{\"device\":\"e\",\"value\":1,\"ts\":64000}\n{\"device\":\"f\",\"value\":2,\"ts\":130000}\n";

}  // namespace

std::span<const char* const> state_pipelines() { return pipelines; }

void state(Bytes input) {
  ByteReader in(input);
  test::StepRig rig(pipelines[in.get<uint8_t>() % std::size(pipelines)]);
  WEIR_ASSERT(rig.problems().empty());
  if (!restore(rig, read_blobs(in))) return;
  if (!rig.graph().advance()) return;
  rig.feed_lines(later_messages);
  test::SavedRig saved;
  saved.checkpoint_id = 300;
  rig.save(saved);
  rig.finish();
  (void)rig.take_output();
}

}  // namespace weir::fuzz
