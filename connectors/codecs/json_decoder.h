// JsonDecoder: JSON (RFC 8259) to values. The whole document is validated before any field is looked at; then one walk picks
// the wanted paths. Made at start by the planner, lives as long as its pipeline, reactor thread only.
//
// Cost: 0.1 to 0.4 us for 105 to 1000 bytes on a server-class core, no heap per message. The parser's buffers are taken from
// the heap when it is made (memory_bytes); the pages behind them are touched only as far as the largest message so far needs.
//
// Strings view the parser's buffer or the topic: good until the next call. Of members with the same name the first counts. A
// path that meets something else than it expects on its way (a name where an array is, an index where an object is, a scalar)
// is absent: null.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/model/codec.h"
#include "agent/model/source_field.h"
#include "connectors/codecs/path_trie.h"
#include "connectors/codecs/scalar.h"

namespace weir {

/// Containers inside each other that a document may have; one more is refused. An empty one at the bottom does not count.
constexpr size_t json_depth_max = 64;

class JsonDecoder final : public Decoder {
 public:
  /// Messages of more than `payload_bytes_max` bytes are refused. Requires payload_bytes_max <= 1 GiB, at most fields_max
  /// fields and that their names differ. Running out of memory here is an assertion: nothing can run then.
  JsonDecoder(std::vector<SourceField> fields, size_t payload_bytes_max);
  ~JsonDecoder() override;

  const Schema& schema() const override { return schema_; }

  /// Reasons: "json" (no valid document, or a bare scalar), "depth", "utf8", "type", "too-long", "time". What `values` holds
  /// after a refusal is of no use. Requires values.size() == schema().size() and payload_padding readable bytes behind the
  /// payload.
  Refusal decode(const Message& message, std::span<Value> values) override;

  /// What a decoder for messages up to `payload_bytes_max` takes from the heap: about 14 bytes per byte of payload.
  static size_t memory_bytes(size_t payload_bytes_max);

 private:
  struct Parser;  // keeps the library's header in one file
  friend struct DocumentWalk;

  Refusal refuse_document(const char* reason, const char* why, Bytes payload);
  Refusal refuse_field(uint32_t position, const Scalar& scalar, Misfit misfit);
  Refusal take_outside(const Message& message, std::span<Value> values);

  std::vector<SourceField> fields_;
  Schema schema_;
  PathTrie trie_;
  std::vector<uint32_t> outside_;  // positions of the fields that do not come from the payload
  size_t payload_bytes_max_;
  std::unique_ptr<Parser> parser_;
  char detail_[512];
};

}  // namespace weir
