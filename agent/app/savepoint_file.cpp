#include "agent/app/savepoint_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "agent/status/utc_text.h"
#include "storage/files.h"

namespace weir {
namespace {

constexpr const char* info_value_name = "savepoint";

std::string info_text(const SavepointInfo& info) {
  return "created_ms=" + std::to_string(info.created_wall_ms) + "\nweir=" + info.weir_version + "\nhost=" + info.host + "\n";
}

std::string info_field(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + "=");
  if (at == std::string::npos || (at > 0 && text[at - 1] != '\n')) return {};
  const size_t from = at + name.size() + 1;
  return text.substr(from, text.find('\n', from) - from);
}

std::string iso_text(int64_t wall_ms) {
  std::array<char, 64> room;
  TextWriter out(room);
  append_utc(out, wall_ms);
  return std::string(out.text());
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Files that only their owner may read: state can be as private as what it was made of.
class PrivateFiles {
 public:
  PrivateFiles() : before_(umask(0077)) {}
  ~PrivateFiles() { umask(before_); }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

 private:
  mode_t before_;
};

class ManifestReader final : public RestoreHandler {
 public:
  ManifestReader(ManifestCodec& codec, Manifest& manifest) : codec_(codec), manifest_(manifest) {}
  Status on_manifest(Bytes bytes) override { return codec_.decode(bytes, manifest_); }
  Status on_blob(uint32_t, const StoredBlob&) override { return {}; }
  Status on_outbox(uint32_t, uint64_t, size_t) override { return {}; }

 private:
  ManifestCodec& codec_;
  Manifest& manifest_;
};

}  // namespace

SavepointFile::~SavepointFile() {
  if (store_ == nullptr) return;
  store_.reset();
  unlink(partial_path().c_str());
}

Status SavepointFile::create(const std::string& path) {
  if (file_exists(path)) return {Code::InvalidArgument, "there is such a file already"};
  path_ = path;
  WEIR_TRY(make_directory(directory_of(path)));
  // Of an attempt that was cut off.
  unlink(partial_path().c_str());
  StoreOptions options;
  options.savepoint = partial_path();
  const PrivateFiles only_ours;
  store_ = std::make_unique<SqliteCheckpointStore>();
  return store_->open(options);
}

Status SavepointFile::finish(const SavepointInfo& info) {
  if (!info.config.empty()) WEIR_TRY(store_->put_value(config_value_name, info.config));
  WEIR_TRY(store_->put_value(info_value_name, info_text(info)));
  store_.reset();
  if (rename(partial_path().c_str(), path_.c_str()) != 0) {
    const int error = errno;
    unlink(partial_path().c_str());
    return {Code::Io, "the savepoint cannot be given its name", error};
  }
  return sync_directory(directory_of(path_));
}

Status open_savepoint(const std::string& path, SqliteCheckpointStore& store, SavepointInfo& info) {
  if (!is_regular_file(path)) return {Code::NotFound, "there is no such file"};
  WEIR_TRY(store.open(reading_options(path)));
  const Result<std::string> text = store.value(info_value_name);
  if (text.status().code() == Code::NotFound) return {Code::Incompatible, "this is a state database and no savepoint"};
  if (!text.ok()) return text.status();
  info.created_wall_ms = strtoll(info_field(text.value(), "created_ms").c_str(), nullptr, 10);
  info.weir_version = info_field(text.value(), "weir");
  info.host = info_field(text.value(), "host");
  const Result<std::string> config = store.value(config_value_name);
  if (config.ok()) info.config = config.value();
  return config.ok() || config.status().code() == Code::NotFound ? Status() : config.status();
}

Status read_manifest(SqliteCheckpointStore& store, const std::string& pipeline, ManifestCodec& codec, Manifest& manifest) {
  const Result<PipelineRow> row = store.open_pipeline(pipeline, {});
  if (!row.ok()) return row.status();
  ManifestReader reader(codec, manifest);
  return store.load(row.value().pipeline, reader);
}

Status newest_pages(SqliteCheckpointStore& store, const std::string& pipeline, ManifestCodec& codec,
                    std::optional<StorePages>& pages) {
  Manifest manifest;
  WEIR_TRY(read_manifest(store, pipeline, codec, manifest));
  const Result<PipelineRow> row = store.open_pipeline(pipeline, {});
  if (!row.ok()) return row.status();
  pages.emplace(store, row.value().pipeline, manifest.checkpoint_id);
  return {};
}

Status pipelines_with_state(SqliteCheckpointStore& store, std::vector<std::string>& names) {
  std::vector<std::string> all;
  WEIR_TRY(store.each_pipeline([&](std::string_view name) {
    all.emplace_back(name);
    return Status();
  }));
  for (std::string& name : all) {
    const Result<PipelineRow> row = store.open_pipeline(name, {});
    if (!row.ok()) return row.status();
    if (row.value().last_checkpoint_id != 0) names.push_back(std::move(name));
  }
  return {};
}

std::string utc_text(int64_t wall_ms) {
  std::string text = iso_text(wall_ms);
  std::ranges::replace(text, 'T', ' ');
  return text.replace(text.size() - 1, 1, " UTC");
}

std::string savepoint_directory(const std::string& state_dir) { return state_dir + "/savepoints"; }

std::string new_savepoint_path(const std::string& state_dir, int64_t wall_ms) {
  std::string name = iso_text(wall_ms);
  std::erase_if(name, [](char character) { return character == '-' || character == ':'; });
  const std::string path = savepoint_directory(state_dir) + "/" + name;
  std::string free = path + ".savepoint";
  for (int number = 2; file_exists(free); ++number) free = path + "-" + std::to_string(number) + ".savepoint";
  return free;
}

}  // namespace weir
