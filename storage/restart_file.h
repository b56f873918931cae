// RestartFile: `weir.restarts`, a small file in the state directory that remembers what is known of the failures of each
// pipeline, so that a restart strategy holds across deaths of the process and reboots. It is a file of its own, for the
// database may be what fails. What a record says is its user's business (app/restart_history.h).
//
// A pipeline has two places of 1024 bytes that take turns, each with a number and a CRC32C: a write that is cut short leaves
// the record before. A write is a pwrite; sync() is the fdatasync. Owned by the agent; used by one thread at a time, the
// storage thread while the agent runs. Allocates in open() and admit() only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/bytes.h"
#include "agent/base/status.h"

namespace weir {

class RestartFile {
 public:
  static constexpr size_t record_bytes_max = 1000;

  RestartFile() = default;
  ~RestartFile() { close(); }
  RestartFile(const RestartFile&) = delete;
  RestartFile& operator=(const RestartFile&) = delete;

  /// Opens the file, or creates it, with room for these names; records of other names give way when there is no room else.
  /// Code::Full or Code::Io: nothing will be kept.
  Status open(const std::string& state_dir, const std::vector<std::string>& names);
  /// Makes room for one more name, if it has none; an earlier record of that name is forgotten. Allocates.
  Status admit(const std::string& name);
  void close();
  /// Whether a pipeline's two places were both unreadable, or the file was no such file: what was there is forgotten.
  bool damaged() const { return damaged_; }

  /// The newest record of that name; empty: none. Valid until the next put().
  Bytes find(std::string_view name) const;
  /// Replaces it; at most record_bytes_max. A name that open() was not told has no place: Code::NotFound.
  Status put(std::string_view name, Bytes record);
  /// What was put is on the disk when this returns.
  Status sync();

 private:
  static constexpr size_t place_bytes = 1024;
  struct Pair {
    uint64_t name = 0;  // hash64; 0: free
    uint64_t number = 0;
    uint64_t newest_at = 0;  // 0 or 1: which place holds it
    std::array<uint8_t, record_bytes_max> record{};
    size_t record_bytes = 0;
  };
  void read_place(Bytes place, uint64_t at, Pair& pair, bool& unreadable);
  Status read_pairs(uint64_t bytes);
  void assign(const std::vector<std::string>& names);
  const Pair* pair_of(std::string_view name) const;

  std::string path_;
  int descriptor_ = -1;
  bool damaged_ = false;
  std::vector<Pair> pairs_;
};

}  // namespace weir
