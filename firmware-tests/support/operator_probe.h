// What the operators' tests share: a downstream end that keeps copies of what reaches it and has as much room as the test says,
// a handler that keeps refusals, an in-memory store of checkpoint blobs, and short ways to compile expressions.
#pragma once

#include <cstdio>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/text_writer.h"
#include "agent/expression/expression.h"
#include "agent/operators/aggregate.h"
#include "agent/operators/operator.h"

namespace weir::test {

inline std::string text_of(const Value& value) {
  char buffer[256];
  TextWriter out{buffer};
  switch (value.type()) {
    case Type::Null:
      return "null";
    case Type::Bool:
      return value.as_bool() ? "true" : "false";
    case Type::Float:
      return std::string(out.append_double(value.as_float()).text());
    case Type::String:
      return std::string(value.as_string());
    default:
      return std::string(out.append_int(value.as_int()).text());
  }
}

/// A record that reached the end, as text and numbers that outlive it.
struct Seen {
  std::string values;  // "d1 2 3.5 0 10"
  int64_t event_time_ms = 0;
  uint64_t offset = 0;
  bool derived = false;
  uint64_t identity = 0;
  bool operator==(const Seen&) const = default;
};

class ProbeSink final : public Operator {
 public:
  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return schema_; }
  bool ready() const override { return count < room; }
  Outcome process(const Record& record) override {
    ++count;
    if (!keep) return Outcome::Applied;
    Seen one{"", record.event_time_ms, record.offset, record.derived, record.identity};
    for (const Value& value : record.values) one.values += (one.values.empty() ? "" : " ") + text_of(value);
    seen.push_back(one);
    return Outcome::Applied;
  }
  /// All values, one line per record.
  std::string lines() const {
    std::string text;
    for (const Seen& one : seen) text += one.values + "\n";
    return text;
  }

  std::vector<Seen> seen;
  size_t count = 0;
  size_t room = std::numeric_limits<size_t>::max();
  bool keep = true;

 private:
  Schema schema_;
};

class RefusalLog final : public RefusalHandler {
 public:
  void on_refused(const Record&, const Schema&, std::string_view step, Refusal refusal) override {
    ++count;
    last_step = step;
    last_reason = refusal.reason;
    last_detail = refusal.detail;
  }
  size_t count = 0;
  std::string last_step, last_reason, last_detail;
};

/// The end of a pipeline that counts, keeps nothing and allocates nothing.
class CountingSink final : public Operator, public RefusalHandler {
 public:
  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record&) override {
    ++results;
    return Outcome::Applied;
  }
  void on_refused(const Record&, const Schema&, std::string_view, Refusal) override {}

  uint64_t results = 0;

 private:
  Schema schema_;
};

/// The blobs that a store would hold of one part, as model/snapshot.h says.
class MemoryBlobs {
 public:
  void commit(const Snapshot& snapshot) {
    const uint64_t id = snapshot.checkpoint_id();
    for (const Blob& blob : snapshot.blobs()) {
      std::vector<uint8_t> bytes(blob.bytes.begin(), blob.bytes.end());
      written += bytes.size();
      if (blob.kind == BlobKind::Operator) own = {id, bytes};
      if (blob.kind == BlobKind::Base) base[blob.index] = {id, bytes};
      if (blob.kind == BlobKind::Delta) deltas[{id, blob.index}] = bytes;
    }
    for (const Trim& trim : snapshot.trims()) {
      if (trim.kind == BlobKind::Base)
        std::erase_if(base, [&](const auto& chunk) { return chunk.second.first <= trim.up_to_checkpoint; });
      if (trim.kind != BlobKind::Delta) continue;
      std::erase_if(deltas, [&](const auto& delta) { return delta.first.first <= trim.up_to_checkpoint; });
    }
  }
  /// Calls restore(blob) for each blob in the order that Stateful states, up to the first error.
  template <class Restore>
  Status load(Restore restore) const {
    if (own.first != 0) WEIR_TRY(restore(StoredBlob{BlobKind::Operator, 0, own.first, own.second}));
    for (const auto& [index, chunk] : base) WEIR_TRY(restore(StoredBlob{BlobKind::Base, index, chunk.first, chunk.second}));
    for (const auto& [key, bytes] : deltas) WEIR_TRY(restore(StoredBlob{BlobKind::Delta, key.second, key.first, bytes}));
    return {};
  }
  Status load_into(Stateful& part) const {
    WEIR_TRY(load([&](const StoredBlob& blob) { return part.restore(blob); }));
    return part.restore_finished();
  }

  std::pair<uint64_t, std::vector<uint8_t>> own;
  std::map<uint32_t, std::pair<uint64_t, std::vector<uint8_t>>> base;
  std::map<std::pair<uint64_t, uint32_t>, std::vector<uint8_t>> deltas;
  size_t written = 0;
};

/// A snapshot over exactly as much memory as the bounds ask for.
struct SnapshotMemory {
  explicit SnapshotMemory(SnapshotBounds bounds)
      : bytes(bounds.bytes), blobs(bounds.blobs), trims(bounds.trims), snapshot(bytes, blobs, trims) {}
  std::vector<uint8_t> bytes;
  std::vector<Blob> blobs;
  std::vector<Trim> trims;
  Snapshot snapshot;
};

/// A checkpoint of one part into `blobs`; if it is not `committed` it failed.
inline void checkpoint_of(Stateful& part, uint64_t id, MemoryBlobs& blobs, bool committed = true) {
  SnapshotMemory memory(part.snapshot_bounds());
  memory.snapshot.begin(id);
  part.snapshot(memory.snapshot);
  if (committed) blobs.commit(memory.snapshot);
  part.snapshot_done(id, committed);
}

inline Schema schema_of(std::vector<Field> fields) {
  Schema schema;
  for (Field& field : fields) schema.add(std::move(field));
  return schema;
}

/// Memory for the texts of a test's program, which lives as long as any.
inline void bind_scratch(Program& program) {
  static std::deque<std::vector<char>> memory;
  memory.emplace_back(program.scratch_bytes());
  program.bind_scratch(memory.back());
}

/// Compiles, or prints why not and stops the program: a test's own text must be right.
inline Program compiled(const std::string& text, const Schema& schema, Type expected = Type::Null) {
  Program program;
  std::vector<ExpressionError> errors;
  if (!compile_expression(text, schema, expected, program, errors)) fprintf(stderr, "%s\n", errors.at(0).message.c_str());
  WEIR_ASSERT(errors.empty());
  bind_scratch(program);
  return program;
}

inline Aggregation aggregation_of(const std::string& name, const std::string& text, const Schema& schema) {
  AggregateCall call;
  Aggregation aggregation;
  std::vector<ExpressionError> errors;
  bool made =
      compile_aggregate_call(text, schema, call, errors) && make_aggregation(name, text, std::move(call), aggregation, errors);
  if (!made) fprintf(stderr, "%s\n", errors.at(0).message.c_str());
  WEIR_ASSERT(made);
  bind_scratch(aggregation.argument);
  bind_scratch(aggregation.filter);
  return aggregation;
}

}  // namespace weir::test
