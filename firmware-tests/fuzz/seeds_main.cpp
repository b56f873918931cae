// Writes the seeds of the corpora whose formats are no text, into the folder that is named: manifest, layout, journal, state.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/operators/steps.h"
#include "connectors/codecs/manifest_codec.h"
#include "firmware-tests/fuzz/state_target.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/step_rig.h"
#include "storage/journal_format.h"

namespace {

using namespace weir;

bool write_seed(const std::string& folder, const std::string& name, Bytes bytes) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  return write_whole_file(folder + "/" + name, as_text(bytes)).ok();
}

bool write_manifests(const std::string& folder) {
  NanopbManifestCodec codec;
  bool written = true;
  for (uint32_t parts : {0U, 1U, 5U, 32U}) {
    Manifest manifest;
    manifest.checkpoint_id = 7 + parts;
    manifest.reason = CheckpointReason::Interval;
    manifest.created_wall_ms = 1'700'000'000'000;
    manifest.source_offset = 1000;
    manifest.has_watermark = parts != 0;
    manifest.watermark_ms = -5;
    manifest.ledger.received = 1000;
    manifest.part_count = parts;
    for (uint32_t index = 0; index < parts; ++index) {
      snprintf(manifest.parts[index].uid, name_max, "step-%u", index);
      manifest.parts[index].op = index + 1;
      manifest.parts[index].layout = 0xfedcba9876543210U + index;
      manifest.parts[index].checkpoint_id = manifest.checkpoint_id;
    }
    std::vector<uint8_t> bytes(manifest_bytes_max);
    ByteWriter out(bytes);
    written = codec.encode(manifest, out).ok() && write_seed(folder, std::to_string(parts) + "-parts", out.bytes()) && written;
  }
  return written && write_seed(folder, "empty", {});
}

bool write_journals(const std::string& folder) {
  bool written = true;
  for (int kind = static_cast<int>(JournalKind::Message); kind <= static_cast<int>(JournalKind::SessionLost); ++kind) {
    std::vector<uint8_t> bytes(1000);
    ByteWriter out(bytes);
    for (const char* payload : {"", "{\"value\":1}"}) {
      put_journal_record({.kind = static_cast<JournalKind>(kind),
                          .qos = 1,
                          .packet_id = 3,
                          .arrival_ms = 1'700'000'000'000,
                          .offset = 1,
                          .full_bytes = 5000,
                          .hash = 77,
                          .topic = "a/b",
                          .payload = as_bytes(payload)},
                         out);
    }
    written = write_seed(folder, "kind-" + std::to_string(kind), out.bytes()) && written;
  }
  JournalHeader header;
  header.sequence = 1;
  header.epoch = 1;
  std::vector<uint8_t> head(journal_header_bytes);
  write_journal_header(header, head);
  return written && write_seed(folder, "empty-batch", head);
}

void put_blob(ByteWriter& out, uint8_t part, const StoredBlob& blob) {
  out.put(part);
  out.put(static_cast<uint8_t>(static_cast<uint8_t>(blob.kind) - 1));
  out.put(static_cast<uint8_t>(blob.index));
  out.put(static_cast<uint8_t>(blob.checkpoint_id));
  out.put(static_cast<uint16_t>(blob.bytes.size()));
  out.put_bytes(blob.bytes);
}

bool write_states(const std::string& states, const std::string& layouts) {
  bool written = true;
  for (size_t number = 0; number < fuzz::state_pipelines().size(); ++number) {
    test::StepRig rig(fuzz::state_pipelines()[number]);
    if (!rig.problems().empty()) {
      fprintf(stderr, "%s\n", rig.problems().c_str());
      return false;
    }
    test::SavedRig saved;
    rig.feed_lines("{\"device\":\"a\",\"value\":1,\"ts\":1000}\n{\"device\":\"a\",\"value\":99.5,\"ts\":1500}\n");
    rig.save(saved);
    rig.feed_lines("{\"device\":\"b\",\"value\":3,\"ts\":3000}\n{\"device\":\"a\",\"value\":-3,\"ts\":3100}\n");
    rig.save(saved);
    std::vector<uint8_t> bytes(1 << 20);
    ByteWriter out(bytes);
    out.put(static_cast<uint8_t>(number));
    put_blob(out, fuzz::graph_part, {.bytes = saved.graph});
    const std::vector<Stateful*> parts = rig.stateful();
    for (size_t index = 0; index < parts.size(); ++index) {
      const std::string uid(parts[index]->uid());
      const Status put = saved.parts[uid].load([&](const StoredBlob& blob) {
        put_blob(out, static_cast<uint8_t>(index), blob);
        return Status();
      });
      written = put.ok() && write_seed(layouts, std::to_string(number) + "-" + uid, as_bytes(saved.layouts[uid])) && written;
    }
    written = !out.overflowed() && write_seed(states, "pipeline-" + std::to_string(number), out.bytes()) && written;
  }
  return written;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: weir-fuzz-seeds FOLDER\n");
    return 64;
  }
  weir::register_built_in_steps();
  const std::string folder = arguments[1];
  const bool written = write_manifests(folder + "/manifest") && write_journals(folder + "/journal") &&
                       write_states(folder + "/state", folder + "/layout");
  if (!written) perror(arguments[1]);
  return written ? 0 : 1;
}
