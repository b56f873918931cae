// Filter: hands on the records for which an expression is true. False and null both mean no, as in SQL. Owned by its pipeline;
// reactor thread; no state; costs one evaluation.
#pragma once

#include <string>

#include "agent/expression/expression.h"
#include "agent/operators/operator.h"

namespace weir {

class Filter final : public Operator {
 public:
  /// `condition` has type bool (or is the literal null) and was compiled against `input`, which must outlive this.
  Filter(std::string id, Program condition, const Schema& input);

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override;

 private:
  std::string id_;
  Program condition_;
  const Schema& schema_;
};

}  // namespace weir
