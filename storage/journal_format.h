// The journal's format: a ring of batches in a file of fixed size that was filled with zeros once, so that a batch is written
// in place, without the file system's own journal. Batches begin at multiples of 4096 bytes and are padded to them: a write
// never touches a sector that holds an earlier batch.
//
//     batch  = header (64 bytes), record ..., zeros
//     header = { uint32 magic, uint32 crc32c of the rest of the header, uint32 crc32c of the records,
//                uint32 chain, uint64 sequence, uint64 offset of the first message, uint64 newest completed checkpoint,
//                int64 arrival of the first record, uint32 epoch, uint32 records, uint32 bytes of the records, uint32 lap }
//     record = { uint8 kind, uint8 flags, uint16 packet id, int64 arrival, [uint64 full bytes, uint64 hash,] uint16 size,
//     topic,
//                uint32 size, payload }        the two in brackets only where something was cut off
//     flags  = QoS (bits 0 and 1), 4 retained, 8 arrived while the wall clock was not synchronised
//
// `chain` is the header CRC of the batch before: a batch of an earlier lap, or one that an earlier process wrote and a power
// cut abandoned, continues no chain. `epoch` counts the processes that wrote. A batch that does not fit before the end of the
// file begins the next lap, at offset 0.
#pragma once

#include "agent/model/journal.h"

namespace weir {

constexpr size_t journal_block_bytes = 4096;
constexpr size_t journal_header_bytes = 64;
constexpr size_t journal_record_bytes = 34;  // a record without its topic and payload, at most

struct JournalHeader {
  uint32_t crc = 0;
  uint32_t records_crc = 0;
  uint32_t chain = 0;
  uint64_t sequence = 0;
  uint64_t first_offset = 0;
  uint64_t newest_checkpoint = 0;
  int64_t first_arrival_ms = 0;
  uint32_t epoch = 0;
  uint32_t records = 0;
  uint32_t bytes = 0;
  uint32_t lap = 0;

  size_t padded_bytes() const;
};

/// What `bytes` of records take in the ring.
constexpr size_t journal_batch_bytes(size_t bytes) {
  return (journal_header_bytes + bytes + journal_block_bytes - 1) / journal_block_bytes * journal_block_bytes;
}

/// Fills the first 64 bytes and sets `header.crc`. Requires header.records_crc.
void write_journal_header(JournalHeader& header, std::span<uint8_t> to);
/// False: these 64 bytes are no header.
bool read_journal_header(Bytes from, JournalHeader& header);

void put_journal_record(const JournalRecord& record, ByteWriter& out);
/// Sets all but the offset. False: malformed.
bool get_journal_record(ByteReader& in, JournalRecord& record);

}  // namespace weir
