#include "agent/operators/route.h"

#include <algorithm>

namespace weir {

Route::Route(std::string id, std::vector<std::string> names, std::vector<Program> conditions, const Schema& input)
    : id_(std::move(id)),
      names_(std::move(names)),
      conditions_(std::move(conditions)),
      readers_(names_.size(), nullptr),
      input_(input) {
  WEIR_ASSERT(names_.size() == conditions_.size());
}

Outcome Route::process(const Record& record) {
  for (size_t branch = 0; branch < conditions_.size(); ++branch) {
    const Value value = conditions_[branch].evaluate(record.values);
    if (!value.is_null() && value.as_bool()) return readers_[branch]->process(record);
  }
  return next().process(record);
}

bool Route::ready() const {
  return next().ready() && std::ranges::all_of(readers_, [](const Operator* reader) { return reader->ready(); });
}

}  // namespace weir
