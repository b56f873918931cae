// The generic binder: walks the option table and the tree of nodes side by side and fills the specification. What is wrong is
// reported, and the default stands in its place, so that everything else can still be looked at.
#pragma once

#include "agent/config/option.h"
#include "agent/config/toml_document.h"

namespace weir {

void bind_specification(const Node& root, Specification& specification, CheckContext& context);

/// Whether a text is a Name: 1 to 63 of A-Z a-z 0-9 _ . -
bool is_name(std::string_view text);
constexpr const char* name_pattern = "^[A-Za-z0-9_.-]{1,63}$";

/// A default, minimum or maximum of a row as a number: plain, ms or bytes after the row's type.
int64_t bound_value(OptionType type, const char* text);

}  // namespace weir
