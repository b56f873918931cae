// The functions of expressions as pages for people and programs, all from the rows of the function table. Allocates; for
// commands only.
#pragma once

#include <string>
#include <vector>

#include "agent/expression/functions.h"

namespace weir {

/// By group: signature and summary, and below them the example.
std::string functions_text(const std::vector<const Function*>& functions);

/// An array of objects: name, group, signature, summary, example, result.
std::string functions_json(const std::vector<const Function*>& functions);

/// The section "Functions" of docs/expressions.md: a table and a fence of examples for each group.
std::string functions_markdown(const std::vector<const Function*>& functions);

}  // namespace weir
