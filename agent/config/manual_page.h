// A page for man(1) out of the Markdown that this project's own pages are written in: headings, paragraphs, tables, `code` and
// links. What it does not know (lists, fences, emphasis) stays text. Allocates; for commands only.
#pragma once

#include <string>
#include <string_view>

namespace weir {

struct ManualHead {
  std::string name;     // "weir.toml"
  std::string section;  // "5"
  std::string version;  // of the program, for the foot of the page
  std::string summary;  // what it is, in a line
};

/// The page in roff's `man` macros. The heading of level 1 is left out, one of level 2 begins a section. Of a table the first
/// cell of a row is what is described, the last one describes it, and what is between them stands before that, each behind the
/// name of its column if that is "default".
std::string manual_page(const ManualHead& head, std::string_view markdown);

}  // namespace weir
