#include "storage/newest_file.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "agent/base/crc32c.h"
#include "agent/base/hash.h"

namespace weir {
namespace {

constexpr size_t file_bytes_fixed = 8192;
constexpr uint32_t header_magic = 0x776E7774;

}  // namespace

/// 32 bytes that lie in one sector, so that a power cut leaves the old or the new ones.
struct NewestFile::Place {
  uint32_t crc;
  uint32_t unused;
  uint64_t name;  // hash64 of the pipeline's name; 0: free
  uint64_t checkpoint_id;
  uint64_t source_offset;

  uint32_t expected_crc() const {
    std::array<uint8_t, 24> memory;
    ByteWriter out(memory);
    out.put(name);
    out.put(checkpoint_id);
    out.put(source_offset);
    return crc32c(out.bytes());
  }
  bool sound() const { return name != 0 && checkpoint_id != 0 && crc == expected_crc(); }
};

struct NewestFile::Header {
  uint32_t magic;  // any other value: no flag is set
  uint32_t suspect;
  uint64_t unused[15];
};

struct NewestFile::Layout {
  Header header;
  Place places[pipelines_max][2];
};

Status NewestFile::open(const std::string& state_dir, const char* file_name, bool read_only) {
  static_assert(sizeof(Place) == 32 && sizeof(Layout) <= file_bytes_fixed);
  WEIR_ASSERT(layout_ == nullptr);
  const std::string path = state_dir + "/" + file_name;
  WEIR_TRY(file_.open(path, file_bytes_fixed, read_only));
  layout_ = reinterpret_cast<Layout*>(file_.memory().data());
  read_only_ = read_only;
  return {};
}

void NewestFile::close() {
  file_.close();
  layout_ = nullptr;
}

std::span<NewestFile::Place> NewestFile::places_of(uint64_t name) const {
  if (layout_ == nullptr) return {};
  for (auto& pair : layout_->places)
    for (const Place& place : pair)
      if (place.sound() && place.name == name) return pair;
  return {};
}

std::span<NewestFile::Place> NewestFile::free_places() const {
  if (layout_ == nullptr) return {};
  for (auto& pair : layout_->places)
    if (!pair[0].sound() && !pair[1].sound()) return pair;
  return {};
}

NewestNote NewestFile::find(std::string_view pipeline) const {
  const uint64_t name = hash64(as_bytes(pipeline));
  NewestNote newest;
  for (const Place& place : places_of(name))
    if (place.sound() && place.name == name && place.checkpoint_id > newest.checkpoint_id)
      newest = {place.checkpoint_id, place.source_offset};
  return newest;
}

bool NewestFile::any() const {
  if (layout_ == nullptr) return false;
  return std::ranges::any_of(layout_->places, [](const auto& pair) {
    return std::ranges::any_of(pair, [](const Place& place) { return place.sound() && place.checkpoint_id > 0; });
  });
}

void NewestFile::note(std::string_view pipeline, NewestNote newest) {
  if (read_only_) return;
  const uint64_t name = hash64(as_bytes(pipeline));
  std::span<Place> places = places_of(name);
  if (places.empty()) places = free_places();
  if (places.empty()) return;
  const bool first_is_newer = places[0].sound() && (!places[1].sound() || places[0].checkpoint_id > places[1].checkpoint_id);
  Place& place = places[first_is_newer ? 1 : 0];
  // The process may be killed between two stores, and what it has stored by then is what the file holds.
  place.crc = 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  place.name = name;
  place.checkpoint_id = newest.checkpoint_id;
  place.source_offset = newest.source_offset;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  place.crc = place.expected_crc();
}

bool NewestFile::database_is_suspect() const {
  return layout_ != nullptr && layout_->header.magic == header_magic && layout_->header.suspect != 0;
}

void NewestFile::set_database_suspect(bool suspect) {
  if (layout_ == nullptr || read_only_) return;
  layout_->header.suspect = suspect ? 1 : 0;
  layout_->header.magic = header_magic;
}

}  // namespace weir
