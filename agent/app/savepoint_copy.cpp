#include "agent/app/savepoint_copy.h"

#include <algorithm>
#include <array>
#include <optional>

namespace weir {
namespace {

constexpr size_t page_bytes = 256 * 1024;

class Copy {
 public:
  Copy(SavedRowReader& rows, SqliteCheckpointStore& to, ManifestCodec& codec, FunctionRef<void(const CopyProgress&)> progress,
       CopiedCheckpoint& copied)
      : rows_(rows), to_(to), codec_(codec), progress_(progress), copied_(copied) {}

  Status run(std::string_view pipeline) {
    WEIR_TRY(next());
    WEIR_TRY(begin(pipeline));
    WEIR_TRY(next());
    while (row_.kind == SavedRowKind::Config || row_.kind == SavedRowKind::Layout) {
      if (row_.kind == SavedRowKind::Config) copied_.config = as_text(row_.bytes);
      if (row_.kind == SavedRowKind::Layout) WEIR_TRY(to_.put_layout(row_.hash, as_text(row_.bytes)));
      WEIR_TRY(next());
    }
    return to_.replace(pipeline_, [&] { return fill(); });
  }

 private:
  struct Part {
    uint32_t op = 0;
    PartSet set;
    uint64_t chunks = 0;
    std::vector<uint8_t> bytes;
  };

  Status next() {
    WEIR_TRY(rows_.next(row_));
    copied_.bytes += row_.bytes.size();
    const bool counted = row_.kind == SavedRowKind::Part || row_.kind == SavedRowKind::Blob;
    if (counted) progress_({++copied_.rows, rows_total_, copied_.bytes});
    return {};
  }

  /// What the checkpoint says about itself, in the numbers of the store.
  Status begin(std::string_view pipeline) {
    if (row_.kind != SavedRowKind::Checkpoint) return {Code::Corrupt, "these are no rows of a checkpoint"};
    WEIR_TRY(codec_.decode(row_.bytes, copied_.manifest));
    if (pipeline != copied_.manifest.pipeline) return {Code::Corrupt, "the manifest names another pipeline"};
    rows_total_ = row_.blob_rows;
    operator_blobs_ = row_.operator_blobs;
    const Result<PipelineRow> opened = to_.open_pipeline(pipeline, {});
    if (!opened.ok()) return opened.status();
    pipeline_ = opened.value().pipeline;
    const PipelineRow& known = opened.value();
    shift_ = std::max({known.last_checkpoint_id, known.reserved_id, known.newest_known_id});
    copied_.source_id = copied_.manifest.checkpoint_id;
    copied_.manifest.checkpoint_id += shift_;
    for (ManifestPart& part : std::span(copied_.manifest.parts).first(copied_.manifest.part_count)) {
      const Result<uint32_t> op = to_.operator_number(pipeline_, part.uid);
      if (!op.ok()) return op.status();
      ops_.push_back({part.op, op.value()});
      part.op = op.value();
      part.checkpoint_id += shift_;
    }
    return {};
  }

  Result<uint32_t> op_of(uint32_t from) const {
    const auto found = std::ranges::find(ops_, from, &std::pair<uint32_t, uint32_t>::first);
    if (found == ops_.end()) return Status(Code::Corrupt, "a row of a part that the manifest does not name");
    return found->second;
  }

  Status fill() {
    while (row_.kind == SavedRowKind::Part || row_.kind == SavedRowKind::Blob) {
      const Result<uint32_t> op = op_of(row_.op);
      if (!op.ok()) return op.status();
      WEIR_TRY(row_.kind == SavedRowKind::Part ? take_part(op.value()) : take_blob(op.value()));
      WEIR_TRY(next());
    }
    if (row_.kind != SavedRowKind::End) return {Code::Corrupt, "the rows of a checkpoint in a wrong order"};
    WEIR_TRY(put_part());
    const Manifest& manifest = copied_.manifest;
    std::array<uint8_t, manifest_bytes_max> memory;
    ByteWriter encoded(memory);
    WEIR_TRY(codec_.encode(manifest, encoded));
    return to_.import_checkpoint({pipeline_, manifest.checkpoint_id, checkpoint_reason_name(manifest.reason),
                                  manifest.created_wall_ms, operator_blobs_, rows_total_, encoded.bytes()},
                                 manifest.source_offset);
  }

  Status take_part(uint32_t op) {
    WEIR_TRY(put_part());
    part_.emplace(Part{op, row_.set, 0, {row_.bytes.begin(), row_.bytes.end()}});
    return {};
  }

  Status take_blob(uint32_t op) {
    if (!part_ || part_->op != op) return {Code::Corrupt, "the rows of a checkpoint in a wrong order"};
    const StoredBlob blob{static_cast<BlobKind>(row_.blob_kind), row_.index, row_.checkpoint_id + shift_, row_.bytes};
    if (blob.kind == BlobKind::Base) ++part_->chunks;
    return to_.import_blob(op, blob);
  }

  /// Only now it is known how many chunks have moved up.
  Status put_part() {
    if (!part_) return {};
    part_->set.versions += shift_ * part_->chunks;
    for (uint64_t& after : part_->set.after) after += shift_;
    WEIR_TRY(to_.import_part(part_->op, copied_.manifest.checkpoint_id, part_->set, part_->bytes));
    part_.reset();
    return {};
  }

  SavedRowReader& rows_;
  SqliteCheckpointStore& to_;
  ManifestCodec& codec_;
  FunctionRef<void(const CopyProgress&)> progress_;
  CopiedCheckpoint& copied_;
  SavedRow row_;
  uint32_t pipeline_ = 0;
  uint64_t shift_ = 0;
  uint64_t rows_total_ = 0;
  uint32_t operator_blobs_ = 0;
  std::vector<std::pair<uint32_t, uint32_t>> ops_;
  std::optional<Part> part_;
};

}  // namespace

Status copy_checkpoint(FunctionRef<Result<std::vector<uint8_t>>()> page, std::string_view pipeline, SqliteCheckpointStore& to,
                       ManifestCodec& codec, FunctionRef<void(const CopyProgress&)> progress, CopiedCheckpoint& copied) {
  SavedRowReader rows(page);
  return Copy(rows, to, codec, progress, copied).run(pipeline);
}

Result<std::vector<uint8_t>> StorePages::next() {
  std::vector<uint8_t> page(page_bytes);
  ByteWriter out(page);
  if (Status status = store_.export_rows(pipeline_, checkpoint_id_, cursor_, out); !status.ok()) return status;
  page.resize(out.size());
  return page;
}

}  // namespace weir
