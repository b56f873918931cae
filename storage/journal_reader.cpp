#include "storage/journal_reader.h"

#include <dirent.h>

#include <algorithm>

#include "agent/base/crc32c.h"

namespace weir {
namespace {

constexpr std::string_view journal_prefix = "weir.journal.";

/// Fills `to` with the batch as it was found; false if it is not that one any more.
bool read_batch(BlockFile& file, uint64_t ring_bytes, const FoundBatch& batch, std::vector<uint8_t>& to) {
  to.resize(batch.header.padded_bytes());
  JournalHeader header;
  if (!file.read(batch.at % ring_bytes, to).ok() || !read_journal_header(to, header)) return false;
  const Bytes records = Bytes(to).subspan(journal_header_bytes, batch.header.bytes);
  return header.crc == batch.header.crc && crc32c(records) == batch.header.records_crc;
}

void visit_records(const JournalHeader& header, Bytes bytes, int64_t from_ms, FunctionRef<void(const JournalRecord&)> visit,
                   JournalReadCounts& counts) {
  ByteReader in(bytes.subspan(journal_header_bytes, header.bytes));
  uint64_t offset = header.first_offset;
  for (uint32_t index = 0; index < header.records; ++index) {
    JournalRecord record;
    if (!get_journal_record(in, record)) return;
    if (record.kind == JournalKind::SessionLost) continue;
    record.offset = offset++;
    if (record.arrival_ms < from_ms) continue;
    if (counts.messages++ == 0) counts.oldest_arrival_ms = record.arrival_ms;
    visit(record);
  }
}

}  // namespace

Result<JournalReadCounts> read_journal(BlockFile& file, int64_t from_ms, FunctionRef<void(const JournalRecord&)> visit) {
  const uint64_t ring_bytes = file.size() / journal_block_bytes * journal_block_bytes;
  Result<std::vector<FoundBatch>> found = sound_batches(file, ring_bytes);
  if (!found.ok()) return found.status();
  const std::vector<FoundBatch>& batches = found.value();
  JournalReadCounts counts;
  std::vector<uint8_t> bytes;
  for (size_t index = 0; index < batches.size(); ++index) {
    // All of it came before the next one began.
    if (index + 1 < batches.size() && batches[index + 1].header.first_arrival_ms < from_ms) continue;
    if (read_batch(file, ring_bytes, batches[index], bytes))
      visit_records(batches[index].header, bytes, from_ms, visit, counts);
    else
      ++counts.skipped_batches;
  }
  return counts;
}

Result<JournalReadCounts> read_journal(const std::string& path, int64_t from_ms,
                                       FunctionRef<void(const JournalRecord&)> visit) {
  Result<std::unique_ptr<BlockFile>> file = open_block_file(path, BlockFileMode::ReadOnly);
  if (!file.ok()) return file.status();
  return read_journal(*file.value(), from_ms, visit);
}

std::vector<std::string> journals_in(const std::string& state_dir) {
  std::vector<std::string> names;
  DIR* directory = opendir(state_dir.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(journal_prefix)) names.emplace_back(name.substr(journal_prefix.size()));
  }
  closedir(directory);
  std::ranges::sort(names);
  return names;
}

}  // namespace weir
