// Showing and verifying savepoints.
#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/savepoint_commands.h"
#include "agent/app/savepoint_file.h"
#include "agent/app/savepoint_report.h"
#include "agent/app/stored_part_text.h"
#include "agent/base/json_string.h"
#include "connectors/codecs/manifest_codec.h"
#include "storage/files.h"

namespace weir {
namespace {

int fail_to_open(const std::string& path, Status status) {
  command_failed("savepoint", path + ": " + status.text());
  return status.code() == Code::Corrupt ? exit_corrupt : exit_failure;
}

unsigned long long number(uint64_t value) { return value; }

struct OpenSavepoint {
  SqliteCheckpointStore store;
  SavepointInfo info;
  std::vector<std::string> pipelines;
};

Status open_all(const std::string& path, OpenSavepoint& opened) {
  WEIR_TRY(open_savepoint(path, opened.store, opened.info));
  return pipelines_with_state(opened.store, opened.pipelines);
}

void print_parts(const StoredState& state, bool json) {
  bool first = true;
  for (const StoredPart& part : state.parts) {
    if (json)
      printf("%s{%s}", first ? "" : ",", part_json_members(part).c_str());
    else
      printf("%s\n", part_table_row(part).c_str());
    first = false;
  }
}

void print_pipeline(const Manifest& manifest, const StoredState& state, bool json, bool first) {
  if (json) {
    printf(
        "%s{\"pipeline\":%s,\"checkpoint\":%llu,\"created_ms\":%lld,\"weir\":%s,\"config\":\"%016llx\",\"offset\":%llu,"
        "\"parts\":[",
        first ? "" : ",", json_string(manifest.pipeline).c_str(), number(manifest.checkpoint_id),
        static_cast<long long>(manifest.created_wall_ms), json_string(manifest.weir_version).c_str(),
        number(manifest.config_fingerprint), number(manifest.source_offset));
    print_parts(state, true);
    printf("]}");
    return;
  }
  printf("pipeline %s: checkpoint %llu of %s, weir %s, configuration %016llx, %llu messages taken in\n", manifest.pipeline,
         number(manifest.checkpoint_id), utc_text(manifest.created_wall_ms).c_str(), manifest.weir_version,
         number(manifest.config_fingerprint), number(manifest.source_offset));
  printf("%s\n", part_table_header().c_str());
  print_parts(state, false);
}

class Counter final : public RestoreHandler {
 public:
  Status on_manifest(Bytes manifest) override { return count(manifest.size()); }
  Status on_blob(uint32_t, const StoredBlob& blob) override { return count(blob.bytes.size()); }
  Status on_outbox(uint32_t, uint64_t, size_t size) override { return count(size); }
  uint64_t rows = 0;
  uint64_t bytes = 0;

 private:
  Status count(size_t size) {
    ++rows;
    bytes += size;
    return {};
  }
};

}  // namespace

int check_is_savepoint(const std::string& path) {
  OpenSavepoint opened;
  const Status status = open_savepoint(path, opened.store, opened.info);
  return status.ok() ? exit_ok : fail_to_open(path, status);
}

int show_savepoint(const std::string& path, bool config_text, bool json) {
  OpenSavepoint opened;
  if (Status status = open_all(path, opened); !status.ok()) return fail_to_open(path, status);
  const SavepointInfo& info = opened.info;
  if (config_text) {
    if (info.config.empty()) return command_failed("savepoint", path + ": the configuration is not part of it");
    fputs(info.config.c_str(), stdout);
    return exit_ok;
  }
  if (json)
    printf("{\"file\":%s,\"created_ms\":%lld,\"weir\":%s,\"host\":%s,\"pipelines\":[", json_string(path).c_str(),
           static_cast<long long>(info.created_wall_ms), json_string(info.weir_version).c_str(),
           json_string(info.host).c_str());
  else
    printf("made %s by weir %s on %s, %llu bytes%s\n", utc_text(info.created_wall_ms).c_str(), info.weir_version.c_str(),
           info.host.c_str(), number(file_bytes(path)), info.config.empty() ? "" : ", with the configuration (--config-text)");
  NanopbManifestCodec codec;
  bool first = true;
  for (const std::string& name : opened.pipelines) {
    Manifest manifest;
    StoredState state;
    Status status = read_manifest(opened.store, name, codec, manifest);
    if (status.ok()) status = read_stored_state(opened.store, name, codec, state);
    if (!status.ok()) return fail_to_open(path + ": " + name, status);
    print_pipeline(manifest, state, json, first);
    first = false;
  }
  if (json) printf("]}\n");
  return exit_ok;
}

void show_savepoint_line(const std::string& path, bool json) {
  OpenSavepoint opened;
  const Status status = open_all(path, opened);
  std::string names;
  for (const std::string& name : opened.pipelines)
    names += (names.empty() ? "" : json ? "," : ", ") + (json ? json_string(name) : name);
  if (json) {
    printf("{\"file\":%s,\"created_ms\":%lld,\"bytes\":%llu,\"pipelines\":[%s],\"error\":%s}\n", json_string(path).c_str(),
           static_cast<long long>(opened.info.created_wall_ms), number(file_bytes(path)), names.c_str(),
           json_string(status.ok() ? "" : status.text()).c_str());
  } else if (status.ok()) {
    printf("%s  %s  %llu bytes  %s\n", path.c_str(), utc_text(opened.info.created_wall_ms).c_str(), number(file_bytes(path)),
           names.c_str());
  } else {
    printf("%s  %s\n", path.c_str(), status.text());
  }
}

int verify_savepoint(const std::string& path) {
  OpenSavepoint opened;
  Status status = open_all(path, opened);
  if (status.ok()) status = opened.store.check_structure();
  if (!status.ok()) return fail_to_open(path, status);
  if (opened.pipelines.empty()) return fail_to_open(path, {Code::Corrupt, "no pipeline has a checkpoint in it"});
  for (const std::string& name : opened.pipelines) {
    Counter counter;
    const Result<PipelineRow> row = opened.store.open_pipeline(name, {});
    status = row.ok() ? opened.store.load(row.value().pipeline, counter) : row.status();
    if (!status.ok()) return fail_to_open(path + ": " + name, status);
    printf("%s: sound, %llu rows, %llu bytes\n", name.c_str(), number(counter.rows), number(counter.bytes));
  }
  return exit_ok;
}

}  // namespace weir
