#include "storage/saved_row.h"

namespace weir {
namespace {

/// More than any row has: a manifest, a description, a batch of results.
constexpr uint32_t row_bytes_max = 1U << 30;

SavedRow parse_header(ByteReader& in, uint32_t& bytes) {
  SavedRow row;
  bytes = in.get<uint32_t>();
  row.kind = static_cast<SavedRowKind>(in.get<uint8_t>());
  row.blob_kind = in.get<uint8_t>();
  row.op = in.get<uint32_t>();
  row.index = in.get<uint32_t>();
  row.checkpoint_id = in.get<uint64_t>();
  row.operator_blobs = in.get<uint32_t>();
  row.blob_rows = in.get<uint64_t>();
  row.hash = in.get<uint64_t>();
  row.set.blobs = in.get<uint64_t>();
  row.set.versions = in.get<uint64_t>();
  for (uint64_t& after : row.set.after) after = in.get<uint64_t>();
  return row;
}

bool known(const SavedRow& row) {
  return row.kind >= SavedRowKind::Checkpoint && row.kind <= SavedRowKind::End && row.blob_kind <= 5;
}

}  // namespace

std::array<uint8_t, saved_row_header_bytes> saved_row_header(const SavedRow& row) {
  std::array<uint8_t, saved_row_header_bytes> header{};
  ByteWriter out(header);
  out.put(static_cast<uint32_t>(row.bytes.size()));
  out.put(static_cast<uint8_t>(row.kind));
  out.put(row.blob_kind);
  out.put(row.op);
  out.put(row.index);
  out.put(row.checkpoint_id);
  out.put(row.operator_blobs);
  out.put(row.blob_rows);
  out.put(row.hash);
  out.put(row.set.blobs);
  out.put(row.set.versions);
  for (uint64_t after : row.set.after) out.put(after);
  WEIR_ASSERT(!out.overflowed() && out.size() == header.size());
  return header;
}

Status SavedRowReader::fill(size_t bytes) {
  while (held_.size() < bytes) {
    Result<std::vector<uint8_t>> page = page_();
    if (!page.ok()) return page.status();
    if (page.value().empty()) return {Code::Corrupt, "the rows of the checkpoint end too early"};
    held_.insert(held_.end(), page.value().begin(), page.value().end());
  }
  return {};
}

Status SavedRowReader::next(SavedRow& row) {
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(used_));
  used_ = 0;
  WEIR_TRY(fill(saved_row_header_bytes));
  ByteReader in(Bytes(held_).first(saved_row_header_bytes));
  uint32_t bytes = 0;
  row = parse_header(in, bytes);
  if (!known(row) || bytes > row_bytes_max) return {Code::Corrupt, "these are no rows of a checkpoint"};
  WEIR_TRY(fill(saved_row_header_bytes + bytes));
  row.bytes = Bytes(held_).subspan(saved_row_header_bytes, bytes);
  used_ = saved_row_header_bytes + bytes;
  return {};
}

}  // namespace weir
