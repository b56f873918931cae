#include "agent/model/step_options.h"

namespace weir {

StepValue& StepOptions::value(std::string_view key) {
  for (StepValue& each : values_)
    if (each.key == key) return each;
  values_.emplace_back().key = key;
  return values_.back();
}

const StepValue& StepOptions::find(std::string_view key) const {
  static const StepValue absent;
  for (const StepValue& each : values_)
    if (each.key == key) return each;
  return absent;
}

}  // namespace weir
