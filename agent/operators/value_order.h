// The order of two values of one type: false before true, numbers and times by value, text by its bytes.
#pragma once

#include "agent/model/value.h"

namespace weir {

/// Less than, equal to or greater than zero. Requires that both have the same type and neither is null or NaN.
int compare_values(const Value& left, const Value& right);

}  // namespace weir
