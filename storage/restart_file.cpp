#include "storage/restart_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/crc32c.h"
#include "agent/base/hash.h"
#include "storage/files.h"

namespace weir {
namespace {

constexpr const char* file_name = "/weir.restarts";
/// More than any number of pipelines makes; a longer file is none of ours.
constexpr uint64_t file_bytes_max = 1 << 20;

uint64_t hash_of(std::string_view name) { return hash64(as_bytes(name)); }

}  // namespace

/// A place: CRC32C of what follows it, length of the record, hash of the name, number, record. Zeros: never written.
void RestartFile::read_place(Bytes place, uint64_t at, Pair& pair, bool& unreadable) {
  if (std::ranges::all_of(place, [](uint8_t byte) { return byte == 0; })) return;
  ByteReader in(place);
  const uint32_t crc = in.get<uint32_t>();
  const size_t bytes = in.get<uint32_t>();
  const uint64_t name = in.get<uint64_t>();
  const uint64_t number = in.get<uint64_t>();
  const bool sound = bytes <= record_bytes_max && name != 0 && crc == crc32c(place.subspan(4, 20 + bytes));
  if (!sound) unreadable = true;
  if (!sound || number <= pair.number) return;
  const Bytes record = in.get_bytes(bytes);
  pair.name = name;
  pair.number = number;
  pair.newest_at = at;
  pair.record_bytes = bytes;
  std::ranges::copy(record, pair.record.begin());
}

Status RestartFile::read_pairs(uint64_t bytes) {
  std::array<uint8_t, place_bytes> place;
  for (uint64_t offset = 0; offset + 2 * place_bytes <= bytes; offset += 2 * place_bytes) {
    Pair pair;
    bool unreadable = false;
    for (uint64_t at = 0; at < 2; ++at) {
      const ssize_t got = pread(descriptor_, place.data(), place.size(), static_cast<off_t>(offset + at * place_bytes));
      if (got != static_cast<ssize_t>(place.size())) return {Code::Io, "cannot read the history of restarts", errno};
      read_place(place, at, pair, unreadable);
    }
    // A write that was cut short leaves the sound one beside it.
    damaged_ = damaged_ || (unreadable && pair.name == 0);
    pairs_.push_back(pair);
  }
  return {};
}

void RestartFile::assign(const std::vector<std::string>& names) {
  const auto wanted = [&](const Pair& pair) {
    return std::ranges::any_of(names, [&](const std::string& name) { return hash_of(name) == pair.name; });
  };
  for (const std::string& name : names) {
    if (pair_of(name) != nullptr) continue;
    auto place = std::ranges::find_if(pairs_, [](const Pair& pair) { return pair.name == 0; });
    if (place == pairs_.end()) place = std::ranges::find_if_not(pairs_, wanted);
    if (place == pairs_.end()) place = pairs_.insert(pairs_.end(), Pair());
    const uint64_t number = place->number;
    const uint64_t newest_at = place->newest_at;
    *place = {};
    place->name = hash_of(name);
    // Goes on with the numbers of whoever had the places, so that its records are the older ones.
    place->number = number;
    place->newest_at = newest_at;
  }
}

Status RestartFile::open(const std::string& state_dir, const std::vector<std::string>& names) {
  WEIR_ASSERT(descriptor_ < 0);
  path_ = state_dir + file_name;
  const bool existed = file_exists(path_);
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return {Code::Io, "cannot open the history of restarts", errno};
  const uint64_t bytes = file_bytes(path_);
  damaged_ = bytes % (2 * place_bytes) != 0 || bytes > file_bytes_max;
  if (damaged_ && ftruncate(descriptor_, 0) != 0) return {Code::Io, "cannot begin the history of restarts anew", errno};
  if (!damaged_) WEIR_TRY(read_pairs(bytes));
  assign(names);
  WEIR_TRY(extend_with_zeros(path_, pairs_.size() * 2 * place_bytes));
  return existed ? Status() : sync_directory(state_dir);
}

Status RestartFile::admit(const std::string& name) {
  if (descriptor_ < 0 || pair_of(name) != nullptr) return {};
  auto place = std::ranges::find(pairs_, uint64_t{0}, &Pair::name);
  if (place == pairs_.end()) {
    place = pairs_.insert(pairs_.end(), Pair());
    WEIR_TRY(extend_with_zeros(path_, pairs_.size() * 2 * place_bytes));
  }
  place->name = hash_of(name);
  return {};
}

void RestartFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

const RestartFile::Pair* RestartFile::pair_of(std::string_view name) const {
  const auto found = std::ranges::find(pairs_, hash_of(name), &Pair::name);
  return found == pairs_.end() ? nullptr : &*found;
}

Bytes RestartFile::find(std::string_view name) const {
  const Pair* pair = pair_of(name);
  return pair == nullptr ? Bytes() : Bytes(pair->record).first(pair->record_bytes);
}

Status RestartFile::put(std::string_view name, Bytes record) {
  WEIR_ASSERT(record.size() <= record_bytes_max);
  const auto pair = std::ranges::find(pairs_, hash_of(name), &Pair::name);
  if (descriptor_ < 0 || pair == pairs_.end()) return {Code::NotFound, "the history of restarts has no place for it"};
  std::array<uint8_t, place_bytes> place{};
  ByteWriter out(place);
  out.put(uint32_t{0});
  out.put(static_cast<uint32_t>(record.size()));
  out.put(pair->name);
  out.put(pair->number + 1);
  out.put_bytes(record);
  out.patch(0, crc32c(out.bytes().subspan(4)));
  const uint64_t at = 1 - pair->newest_at;
  const uint64_t index = static_cast<uint64_t>(pair - pairs_.begin());
  WEIR_TRY(write_all(descriptor_, (2 * index + at) * place_bytes, place));
  ++pair->number;
  pair->newest_at = at;
  pair->record_bytes = record.size();
  std::ranges::copy(record, pair->record.begin());
  return {};
}

Status RestartFile::sync() {
  if (descriptor_ < 0 || fdatasync(descriptor_) == 0) return {};
  return {Code::Io, "the history of restarts did not reach the disk", errno};
}

}  // namespace weir
