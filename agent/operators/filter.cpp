#include "agent/operators/filter.h"

namespace weir {

Filter::Filter(std::string id, Program condition, const Schema& input)
    : id_(std::move(id)), condition_(std::move(condition)), schema_(input) {
  WEIR_ASSERT(condition_.type() == Type::Bool || condition_.type() == Type::Null);
}

Outcome Filter::process(const Record& record) {
  const Value verdict = condition_.evaluate(record.values);
  if (verdict.is_null() || !verdict.as_bool()) return Outcome::Filtered;
  return next().process(record);
}

}  // namespace weir
