// What a pattern's options say, as text: how often a variable takes a row, and which variable a measure is about. Start-up
// only.
#pragma once

#include <string>
#include <vector>

#include "agent/operators/pattern_matcher.h"

namespace weir {

/// `?`, `*`, `+`, `{3}`, `{2,}`, `{,4}`, `{2,4}`, each with a `?` behind it if fewest rows are preferred. False if it is none
/// of these or can take no row at all.
bool parse_quantifier(std::string_view text, PatternVariable& variable);

/// The variable that `call`, such as `avg(a.price)` or `count(a)`, is about: its position in `names`. The name and its dot
/// become blanks, so that what is left is a call over the input's fields, each character in its place. -1 if there is none or
/// more than one.
int take_variable(std::string& call, const std::vector<std::string>& names);

}  // namespace weir
