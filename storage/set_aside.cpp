#include "storage/set_aside.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include "storage/files.h"
#include "storage/state_lock.h"

namespace weir {
namespace {

constexpr std::string_view damaged_prefix = "weir.db.damaged-";
constexpr std::string_view corrupt_prefix = "weir.db.corrupt-";
constexpr std::string_view wal_suffix = "-wal";

/// The numbers N of files "<prefix>N", ascending.
std::vector<uint64_t> numbers_of(const std::string& state_dir, std::string_view prefix) {
  std::vector<uint64_t> numbers;
  DIR* directory = opendir(state_dir.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix)) continue;
    const std::string_view digits = name.substr(prefix.size());
    uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size()) numbers.push_back(number);
  }
  closedir(directory);
  std::ranges::sort(numbers);
  return numbers;
}

std::string path_of(const std::string& state_dir, std::string_view prefix, uint64_t number) {
  return state_dir + "/" + std::string(prefix) + std::to_string(number);
}

/// Makes room for one more: the largest numbers stay.
void forget_oldest(const std::string& state_dir, std::string_view prefix) {
  const std::vector<uint64_t> numbers = numbers_of(state_dir, prefix);
  for (size_t index = 0; index + set_aside_max <= numbers.size(); ++index) {
    const std::string path = path_of(state_dir, prefix, numbers[index]);
    unlink(path.c_str());
    unlink((path + std::string(wal_suffix)).c_str());
  }
}

}  // namespace

Result<std::string> copy_aside(Database& database, const std::string& state_dir, uint64_t checkpoint_id) {
  forget_oldest(state_dir, damaged_prefix);
  const std::string path = path_of(state_dir, damaged_prefix, checkpoint_id);
  const std::string unfinished = state_dir + "/weir.db.unfinished-copy";
  Status status =
      write_file(unfinished, [&](uint64_t offset, std::span<uint8_t> to) { return database.read_file(offset, to); });
  if (status.ok() && rename(unfinished.c_str(), path.c_str()) != 0)
    status = {Code::Io, "cannot rename a file of the state directory", errno};
  if (status.ok()) status = sync_directory(state_dir);
  if (status.ok()) return path;
  unlink(unfinished.c_str());
  return status;
}

Result<std::string> move_aside(const std::string& state_dir) {
  StateLock lock;
  if (Status locked = lock.acquire(state_dir); !locked.ok()) return locked;
  const std::vector<uint64_t> numbers = numbers_of(state_dir, corrupt_prefix);
  const std::string path = path_of(state_dir, corrupt_prefix, numbers.empty() ? 1 : numbers.back() + 1);
  const std::string database = state_dir + "/weir.db";
  forget_oldest(state_dir, corrupt_prefix);
  // The WAL first: a WAL without its database is deleted by SQLite, a database without its WAL would be opened as it is.
  const std::string wal = database + std::string(wal_suffix);
  if (rename(wal.c_str(), (path + std::string(wal_suffix)).c_str()) != 0 && errno != ENOENT)
    return Status(Code::Io, "cannot rename the database's log", errno);
  if (rename(database.c_str(), path.c_str()) != 0) return Status(Code::Io, "cannot rename the database", errno);
  if (Status synced = sync_directory(state_dir); !synced.ok()) return synced;
  return path;
}

}  // namespace weir
