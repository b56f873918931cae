// SavepointFile: a savepoint on disk: a database of its own with one checkpoint of each of some pipelines, the configuration
// that they ran with, and where and when it was made. It is written under another name and gets its own when it is whole and
// durable. For commands: uses the heap.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/savepoint_copy.h"

namespace weir {

/// What a savepoint says about itself.
struct SavepointInfo {
  int64_t created_wall_ms = 0;
  std::string weir_version;
  std::string host;
  std::string config;  // empty: not known
};

class SavepointFile {
 public:
  SavepointFile() = default;
  ~SavepointFile();
  SavepointFile(const SavepointFile&) = delete;
  SavepointFile& operator=(const SavepointFile&) = delete;

  /// Begins a new one. Code::InvalidArgument if there is a file of that name.
  Status create(const std::string& path);
  SqliteCheckpointStore& store() { return *store_; }
  /// Whole and durable under its name.
  Status finish(const SavepointInfo& info);

  const std::string& path() const { return path_; }

 private:
  std::string partial_path() const { return path_ + ".partial"; }

  std::string path_;
  std::unique_ptr<SqliteCheckpointStore> store_;
};

/// A file is a savepoint only if it says so. Code::NotFound: there is no such file; Code::Incompatible: it is something else.
Status open_savepoint(const std::string& path, SqliteCheckpointStore& store, SavepointInfo& info);

/// The manifest of the newest sound checkpoint. Code::NotFound if there is none.
Status read_manifest(SqliteCheckpointStore& store, const std::string& pipeline, ManifestCodec& codec, Manifest& manifest);
/// The pages of that checkpoint: none of it is damaged.
Status newest_pages(SqliteCheckpointStore& store, const std::string& pipeline, ManifestCodec& codec,
                    std::optional<StorePages>& pages);
/// Names of the pipelines that have a checkpoint there.
Status pipelines_with_state(SqliteCheckpointStore& store, std::vector<std::string>& names);

/// "2026-11-23 07:45:12 UTC"
std::string utc_text(int64_t wall_ms);
/// Where savepoints are put that are given no name: "STATE_DIR/savepoints".
std::string savepoint_directory(const std::string& state_dir);
/// A new name in there.
std::string new_savepoint_path(const std::string& state_dir, int64_t wall_ms);

/// Makes a savepoint of what is stored in the directory, which no agent may use, or through the agent that runs there; `only`:
/// of that pipeline, empty: of all. `error` says for a person what went wrong.
struct MadeSavepoint {
  std::string path;
  bool by_agent = false;
  std::vector<CopiedCheckpoint> pipelines;
};
Status make_savepoint(const std::string& state_dir, const std::string& only, const std::string& path, MadeSavepoint& made,
                      std::string& error);

}  // namespace weir
