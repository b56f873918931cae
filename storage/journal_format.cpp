#include "storage/journal_format.h"

#include "agent/base/crc32c.h"

namespace weir {
namespace {

constexpr uint32_t journal_magic = 0x4A524557;  // "WERJ"
constexpr size_t checked_from = 8;              // magic and CRC are not under the CRC
constexpr uint8_t flag_retained = 4;
constexpr uint8_t flag_unsynchronised = 8;
constexpr uint8_t flag_qos = 3;

bool is_cut_off(JournalKind kind) { return kind == JournalKind::TopicTooLong || kind == JournalKind::PayloadTooLong; }

}  // namespace

size_t JournalHeader::padded_bytes() const { return journal_batch_bytes(bytes); }

void write_journal_header(JournalHeader& header, std::span<uint8_t> to) {
  ByteWriter out(to.first(journal_header_bytes));
  out.put(journal_magic);
  out.put(uint32_t{0});
  out.put(header.records_crc);
  out.put(header.chain);
  out.put(header.sequence);
  out.put(header.first_offset);
  out.put(header.newest_checkpoint);
  out.put(header.first_arrival_ms);
  out.put(header.epoch);
  out.put(header.records);
  out.put(header.bytes);
  out.put(header.lap);
  WEIR_ASSERT(out.size() == journal_header_bytes);
  header.crc = crc32c(out.bytes().subspan(checked_from));
  out.patch(sizeof journal_magic, header.crc);
}

bool read_journal_header(Bytes from, JournalHeader& header) {
  ByteReader in(from.first(journal_header_bytes));
  const bool magic = in.get<uint32_t>() == journal_magic;
  header.crc = in.get<uint32_t>();
  header.records_crc = in.get<uint32_t>();
  header.chain = in.get<uint32_t>();
  header.sequence = in.get<uint64_t>();
  header.first_offset = in.get<uint64_t>();
  header.newest_checkpoint = in.get<uint64_t>();
  header.first_arrival_ms = in.get<int64_t>();
  header.epoch = in.get<uint32_t>();
  header.records = in.get<uint32_t>();
  header.bytes = in.get<uint32_t>();
  header.lap = in.get<uint32_t>();
  return magic && header.crc == crc32c(from.subspan(checked_from, journal_header_bytes - checked_from));
}

void put_journal_record(const JournalRecord& record, ByteWriter& out) {
  out.put(static_cast<uint8_t>(record.kind));
  out.put(static_cast<uint8_t>((record.qos & flag_qos) | (record.retained ? flag_retained : 0) |
                               (record.unsynchronised ? flag_unsynchronised : 0)));
  out.put(record.packet_id);
  out.put(record.arrival_ms);
  if (is_cut_off(record.kind)) {
    out.put(record.full_bytes);
    out.put(record.hash);
  }
  out.put(static_cast<uint16_t>(record.topic.size()));
  out.put_bytes(as_bytes(record.topic));
  out.put_sized(record.payload);
}

bool get_journal_record(ByteReader& in, JournalRecord& record) {
  const auto kind = in.get<uint8_t>();
  const auto flags = in.get<uint8_t>();
  record.kind = static_cast<JournalKind>(kind);
  record.qos = flags & flag_qos;
  record.retained = (flags & flag_retained) != 0;
  record.unsynchronised = (flags & flag_unsynchronised) != 0;
  record.packet_id = in.get<uint16_t>();
  record.arrival_ms = in.get<int64_t>();
  record.full_bytes = is_cut_off(record.kind) ? in.get<uint64_t>() : 0;
  record.hash = is_cut_off(record.kind) ? in.get<uint64_t>() : 0;
  record.topic = as_text(in.get_bytes(in.get<uint16_t>()));
  record.payload = in.get_sized();
  return in.ok() && kind >= static_cast<uint8_t>(JournalKind::Message) &&
         kind <= static_cast<uint8_t>(JournalKind::SessionLost);
}

}  // namespace weir
