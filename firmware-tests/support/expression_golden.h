// The golden text: expressions over fixed inputs, each with its exact result, floats in hexadecimal. It is the same on every
// architecture; firmware-tests/unit/expression_golden.txt holds it. The inputs are made here by rule, so that the file can be
// written anew: build/release/weir-golden > firmware-tests/unit/expression_golden.txt
#pragma once

#include <string>

namespace weir::test {

/// One line "EXPRESSION => RESULT" each.
std::string expression_golden_text();

}  // namespace weir::test
