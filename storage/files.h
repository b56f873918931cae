// Files and directories of the state directory: making them, making them durable, and reserving their space. Start-up only,
// but for write_all.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/base/function_ref.h"
#include "agent/base/status.h"

namespace weir {

bool file_exists(const std::string& path);
/// No directory, device or socket.
bool is_regular_file(const std::string& path);
/// 0 if there is none.
uint64_t file_bytes(const std::string& path);

/// Makes the directory and those above it that are missing, for the owner only (0700), and makes their names durable.
Status make_directory(const std::string& path);
/// Names of files that were created in `path` survive a power cut once this returned.
Status sync_directory(const std::string& path);

/// Writes zeros behind the end of the file until it has `bytes`, and syncs; creates it if missing. Zeros, not holes or
/// unwritten extents: only blocks that were written once are overwritten in place, without the file system's journal.
/// A file that is long enough is left alone. Code::Full if the disk has no room; what fitted stays.
Status extend_with_zeros(const std::string& path, uint64_t bytes);

/// Writes all of `bytes` at offset `at`. Code::Full if the disk has no room.
Status write_all(int descriptor, uint64_t at, std::span<const uint8_t> bytes);

/// Writes a new file, or a file anew: what `read` puts into its buffer, from offset 0 on, until it has nothing more; and syncs.
/// `read` returns how many bytes it has put there. Code::Full if the disk has no room; what was written stays.
Status write_file(const std::string& path, FunctionRef<Result<size_t>(uint64_t offset, std::span<uint8_t> to)> read);

}  // namespace weir
