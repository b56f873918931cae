// NewestFile: `weir.newest`, a small file beside the database that remembers the newest completed checkpoint of each pipeline.
// A database can go back without a sign: its log ends early at a damaged frame, or somebody puts an old copy in its place.
// Held against this file, that is seen.
//
// The file has a fixed size and is mapped into memory: a note is a store, without a system call and without a sync. It survives
// the process; of a power cut it may know an older checkpoint than the database does, which says nothing. A pipeline has two
// places that take turns, each with a CRC32C, so that a note cut short leaves the one before.
//
// Owned by the store; same thread rules. Allocates nothing. Where the file cannot be had (no room, no permission) everything
// here does nothing, for it is a witness, not a part of the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/status.h"
#include "storage/mapped_file.h"

namespace weir {

struct NewestNote {
  uint64_t checkpoint_id = 0;  // 0: nothing is known
  uint64_t source_offset = 0;
};

class NewestFile {
 public:
  static constexpr size_t pipelines_max = 126;

  NewestFile() = default;
  ~NewestFile() { close(); }
  NewestFile(const NewestFile&) = delete;
  NewestFile& operator=(const NewestFile&) = delete;

  /// Creates the file if there is none, unless `read_only`. Code::Full or Code::Io: nothing will be noted.
  Status open(const std::string& state_dir, bool read_only) { return open(state_dir, "weir.newest", read_only); }
  /// The same about something else than checkpoints, in a file of its own.
  Status open(const std::string& state_dir, const char* file_name, bool read_only);
  void close();

  /// What is known of the pipeline of that name.
  NewestNote find(std::string_view pipeline) const;
  /// Whether anything is known of any pipeline.
  bool any() const;
  void note(std::string_view pipeline, NewestNote newest);

  /// The database was found damaged by SQLite while the process ran: the next start looks at all of it.
  bool database_is_suspect() const;
  void set_database_suspect(bool suspect);

 private:
  struct Place;
  struct Header;
  struct Layout;

  /// The two places of a pipeline; none if it has none.
  std::span<Place> places_of(uint64_t name) const;
  std::span<Place> free_places() const;

  MappedFile file_;
  Layout* layout_ = nullptr;
  bool read_only_ = false;
};

}  // namespace weir
