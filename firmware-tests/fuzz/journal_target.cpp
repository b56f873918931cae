#include <algorithm>
#include <vector>

#include "agent/base/crc32c.h"
#include "firmware-tests/fuzz/targets.h"
#include "storage/journal_reader.h"

namespace weir::fuzz {
namespace {

constexpr size_t ring_bytes = 16 * journal_block_bytes;

class MemoryFile final : public BlockFile {
 public:
  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t at, std::span<uint8_t> to) override {
    WEIR_ASSERT(at + to.size() <= bytes_.size());
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(at), to.size(), to.begin());
    return {};
  }
  Status write(uint64_t at, Bytes from) override {
    WEIR_ASSERT(at + from.size() <= bytes_.size());
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<ptrdiff_t>(at));
    return {};
  }
  Status sync() override { return {}; }

 private:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(ring_bytes);
};

void read_ring(BlockFile& file) {
  const auto counts = read_journal(file, INT64_MIN, [](const JournalRecord& record) {
    WEIR_ASSERT(record.topic.size() + record.payload.size() <= ring_bytes);
  });
  WEIR_ASSERT(counts.ok());
  std::vector<uint8_t> buffer(ring_bytes);
  JournalRing ring(file, ring_bytes);
  (void)ring.recover(nullptr, buffer);
}

/// The input as what lies on the disk, at the places where batches begin.
void read_as_file(Bytes input) {
  MemoryFile file;
  const size_t part = std::max<size_t>(1, std::min<size_t>(input.size() / 2, journal_block_bytes));
  (void)file.write(0, input.first(std::min(input.size(), ring_bytes)));
  if (input.size() > part) (void)file.write(journal_block_bytes, input.subspan(part, std::min(input.size() - part, part)));
  read_ring(file);
}

/// The input as the records of a batch whose checksums are right.
void read_as_records(Bytes input) {
  const Bytes records = input.first(std::min(input.size(), journal_block_bytes - journal_header_bytes));
  JournalHeader header;
  header.records_crc = crc32c(records);
  header.sequence = 1;
  header.first_offset = 1;
  header.epoch = 1;
  header.records = records.empty() ? 0 : records[0];
  header.bytes = static_cast<uint32_t>(records.size());
  std::vector<uint8_t> head(journal_header_bytes);
  write_journal_header(header, head);
  MemoryFile file;
  (void)file.write(0, head);
  (void)file.write(journal_header_bytes, records);
  read_ring(file);
}

}  // namespace

void journal(Bytes input) {
  ByteReader in(input);
  JournalRecord record;
  while (get_journal_record(in, record) && in.remaining() > 0) {
  }
  read_as_file(input);
  read_as_records(input);
}

}  // namespace weir::fuzz
