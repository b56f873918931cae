// Map: adds fields to a record, or replaces them, by expressions. Every expression sees the record as it came in, so the order
// in which they are written decides only where new fields stand. Owned by its pipeline; reactor thread; no state; copies the
// row once and evaluates each expression once.
#pragma once

#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/expression/expression.h"
#include "agent/operators/operator.h"

namespace weir {

struct MapField {
  std::string name;
  Program value;  // compiled against the input schema
};

/// Why a map cannot be built: the position in `fields` and a sentence. Empty message: it can.
struct MapFault {
  size_t field = 0;
  std::string message;
};

class Map final : public Operator {
 public:
  /// To be asked before construction: a name twice, a new field without a type (the literal null), too many fields.
  static MapFault check(const std::vector<MapField>& fields, const Schema& input);

  /// Takes the output row from `arena` as the pool "<pool>.row". Requires that check() found nothing.
  Map(std::string id, std::vector<MapField> fields, const Schema& input, Arena& arena, std::string_view pool);

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;

 private:
  std::string id_;
  std::vector<MapField> fields_;
  std::vector<size_t> positions_;  // in the output, one per field
  Schema schema_;
  std::span<Value> row_;
};

}  // namespace weir
