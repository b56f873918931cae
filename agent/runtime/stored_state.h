// StoredState: what a store holds of one pipeline, read without its configuration: the parts of the newest checkpoint and those
// that are kept for their return, each with its layout and its slots. For commands: uses the heap.
#pragma once

#include <memory>

#include "agent/model/checkpoint_store.h"
#include "agent/model/ledger.h"
#include "agent/operators/state_adoption.h"

namespace weir {

struct StoredPart {
  std::string uid;
  uint32_t op = 0;
  uint64_t checkpoint_id = 0;
  bool kept = false;          // it has left the configuration
  int64_t since_wall_ms = 0;  // when it did
  bool described = false;     // there is a layout for it
  StateLayout layout;
  std::vector<uint8_t> own;            // the part's own blob
  std::unique_ptr<StoredSlots> slots;  // nullptr: it has no keys
  std::string damage;                  // of what is kept: why it cannot be read; empty: it can
  uint64_t bytes = 0;                  // of all its blobs
};

struct StoredState {
  std::string pipeline;
  uint64_t checkpoint_id = 0;  // 0: there is none
  int64_t created_wall_ms = 0;
  Ledger ledger;
  std::vector<SourceAccount> sources;  // of a pipeline that has several
  std::vector<StoredPart> parts;
};

/// Code::NotFound if there is no such pipeline; Code::Corrupt if no checkpoint is sound.
Status read_stored_state(CheckpointStore& store, std::string_view pipeline, ManifestCodec& codec, StoredState& state);

}  // namespace weir
