// Project: hands on some of a record's fields, in a chosen order and under chosen names: what `select`, `drop` and `rename`
// come down to. Owned by its pipeline; reactor thread; no state; copies the chosen values once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"
#include "agent/operators/operator.h"

namespace weir {

/// One field of the output: where it comes from and what it is called.
struct ProjectedField {
  uint32_t position = 0;  // in the input
  std::string name;
};

/// Why a projection cannot be: which of the names that were given is to blame, and a sentence. Empty message: it can.
struct ProjectFault {
  size_t index = 0;
  std::string message;
  std::string unknown;  // the name that the input does not have, if that is why
};

/// The output of `select = [names]`: these fields in this order.
ProjectFault select_fields(const std::vector<std::string>& names, const Schema& input, std::vector<ProjectedField>& output);
/// The output of `drop = [names]`: all other fields. At least one must stay.
ProjectFault drop_fields(const std::vector<std::string>& names, const Schema& input, std::vector<ProjectedField>& output);
/// The output of `rename = { old = "new" }`: all fields in their places. Names may be swapped.
ProjectFault rename_fields(const std::vector<std::pair<std::string, std::string>>& names, const Schema& input,
                           std::vector<ProjectedField>& output);

class Project final : public Operator {
 public:
  /// `fields` has distinct names and positions within `input`. Takes the output row from `arena` as the pool "<pool>.row".
  Project(std::string id, std::vector<ProjectedField> fields, const Schema& input, Arena& arena, std::string_view pool);

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;

 private:
  std::string id_;
  std::vector<ProjectedField> fields_;
  Schema schema_;
  std::span<Value> row_;
};

}  // namespace weir
