// copy_checkpoint: puts a checkpoint that comes as a stream of rows into a store, in the place of what that has of the
// pipeline: out of an agent or a state directory into a savepoint, and from a savepoint into a state directory. Ids of
// checkpoints move up behind every id that the store has known, so that none is used twice, and parts get the numbers that they
// have there. For commands: uses the heap, as much as the largest blob takes.
#pragma once

#include <string>

#include "agent/model/manifest.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// What was copied.
struct CopiedCheckpoint {
  uint64_t source_id = 0;  // what it was called where it comes from
  Manifest manifest;       // as it is stored now
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of all rows
  std::string config;  // empty: not known
};

struct CopyProgress {
  uint64_t rows = 0;
  uint64_t rows_total = 0;
  uint64_t bytes = 0;
};

/// `pipeline`: the name that it has in the store, which must be the one that the manifest has. Code::Corrupt if what comes is
/// no sound checkpoint; nothing has changed then but names that were registered.
Status copy_checkpoint(FunctionRef<Result<std::vector<uint8_t>>()> page, std::string_view pipeline, SqliteCheckpointStore& to,
                       ManifestCodec& codec, FunctionRef<void(const CopyProgress&)> progress, CopiedCheckpoint& copied);

/// The pages of a checkpoint in a store of this process.
class StorePages {
 public:
  StorePages(SqliteCheckpointStore& store, uint32_t pipeline, uint64_t checkpoint_id)
      : store_(store), pipeline_(pipeline), checkpoint_id_(checkpoint_id) {}
  Result<std::vector<uint8_t>> next();

 private:
  SqliteCheckpointStore& store_;
  uint32_t pipeline_;
  uint64_t checkpoint_id_;
  ExportCursor cursor_;
};

}  // namespace weir
