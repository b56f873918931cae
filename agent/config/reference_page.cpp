// The reference page of the configuration, from the option table; the head is written by hand, here. Also as a man page.
#include "agent/config/load.h"
#include "agent/config/manual_page.h"
#include "agent/config/option.h"
#include "agent/config/quantity.h"
#include "agent/config/step_sections.h"

namespace weir {
namespace {

constexpr const char* head = R"markdown(# Configuration

One TOML file, several, or a directory of them (its `*.toml` in the order of their names); together they are one configuration.
`weir check FILE` reports all that is wrong, each with file, line and column. `--set KEY=VALUE` lays a value over the files:
`--set agent.state_dir=/tmp/x`, `--set pipeline.overheat.checkpoint.interval=1s`.

This page is generated (`weir schema --markdown`); `weir schema` prints a JSON Schema, with which editors complete and check.
With the editor plugin *Even Better TOML* put `#:schema ./weir.schema.json` on the first line.

Durations are strings with a unit: `ms`, `s`, `min`, `h`, `d` (`"500ms"`, `"1.5s"`, `"7d"`). Sizes have `B`, `KiB`, `MiB`, `GiB`
(powers of 1024) or `kB`, `MB`, `GB` (powers of 1000). Names have 1 to 63 of the characters `A-Z a-z 0-9 _ . -`.

A whole configuration is in [configs/overheat.toml](../configs/overheat.toml).
)markdown";

constexpr const char* fields_part = R"markdown(
## Fields

Each row of `fields` is a value of the record: its name, its type and where it comes from.

| rule | meaning |
|---|---|
| `device = "topic[1]"` | the topic's segment 1, counted from 0; a string |
| `temperature = "float"` | the payload's member of the same name |
| `power = "float $.ENERGY.Power"` | a path into the payload |
| `volts = 'float $["odd name"]["a/b"][0]'` | odd names in quotes, elements of arrays by position from 0 |
| `id = "string(32) $.dev.id"` | a string of at most 32 bytes (1 to 4096; 64 if none is named) |
| `ts = "time(ms)"` | milliseconds since 1970; also `time(s)`, `time(us)`, `time(ns)`, and `time(rfc3339)` for texts |
| `ts = "time(local, Europe/Berlin)"` | a text such as `2025-07-31T10:20:00` without an offset, by the clocks of that time zone |
| `seen = "arrival"` | when the message came; a time |

Types are `bool`, `int` (64 bits), `float` (double), `string` and `time`. A record has at most 64 fields. What the payload leaves out is
null.
)markdown";

constexpr const char* manual_foot = R"roff(.SH FILES
.TP
\fB/etc/weir/weir.toml\fR
read when no other is named
.TP
\fB/usr/share/doc/weir/examples\fR
whole configurations
.TP
\fB/usr/share/weir/weir.schema.json\fR
the JSON Schema, for editors
.SH "SEE ALSO"
.BR weir (1)
)roff";

std::string type_text(const Option& option) {
  switch (option.type) {
    case OptionType::Boolean:
      return "boolean";
    case OptionType::Integer:
      return "integer";
    case OptionType::Number:
      return "number";
    case OptionType::Name:
      return "name";
    case OptionType::Text:
      return "string";
    case OptionType::Path:
      return "path";
    case OptionType::Duration:
      return "duration";
    case OptionType::Size:
      return "size";
    case OptionType::SignedDuration:
      return "duration, also negative";
    case OptionType::DurationOrCount:
      return "duration or integer";
    case OptionType::Expression:
      return "expression";
    case OptionType::TextList:
      return "array of strings";
    case OptionType::Fields:
      return "table of [fields](#fields)";
    case OptionType::ExpressionTable:
      return std::string("table of ") + option.table_of;
    case OptionType::AggregateTable:
      return "table of aggregates";
    case OptionType::Table:
      return "table";
    case OptionType::TableArray:
      return "tables";
    case OptionType::NamedTables:
      return "tables by name";
    case OptionType::Choice:
      break;
  }
  std::string text;
  for (const char* choice : option.choices) text += (text.empty() ? "`\"" : ", `\"") + std::string(choice) + "\"`";
  return text;
}

/// " from A to B" for what has bounds that a reader cares about.
std::string range_text(const Option& option) {
  if (option.type != OptionType::Integer && option.type != OptionType::Number && option.type != OptionType::Duration &&
      option.type != OptionType::Size)
    return {};
  if (!option.minimum) return {};
  if (!option.maximum) return ", " + std::string(option.minimum) + " or more";
  return ", " + std::string(option.minimum) + " to " + option.maximum;
}

std::string default_text(const Option& option) {
  if (option.required) return "required";
  if (option.standard_note) return option.standard_note;
  if (!option.standard) return "";
  bool bare = option.type == OptionType::Integer || option.type == OptionType::Number || option.type == OptionType::Boolean;
  return bare ? "`" + std::string(option.standard) + "`" : "`\"" + std::string(option.standard) + "\"`";
}

void append_rows(const std::string& header, const Section& section, std::string& out) {
  out += "\n## " + header + "\n\n" + section.documentation + "\n\n";
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const Option& option : section.options) {
    out += "| `" + std::string(option.key) + "` | " + type_text(option) + range_text(option) + " | " + default_text(option) +
           " | " + option.documentation;
    if (option.example) out += " `" + std::string(option.example) + "`";
    out += " |\n";
  }
}

void append_section(const Section& section, std::string& out) {
  append_rows(section.header, section, out);
  for (const Option& option : section.options)
    if (option.section) append_section(*option.section, out);
}

}  // namespace

std::string config_reference() {
  std::string out = head;
  for (const Option& option : config_section().options) append_section(*option.section, out);
  for (const StepKind* kind : step_kinds())
    if (kind->custom) append_rows("operator = \"" + std::string(kind->verb) + "\"", section_of(*kind), out);
  return out + fields_part;
}

std::string config_manual(const std::string& version) {
  return manual_page({"weir.toml", "5", version, "configuration of weir, a stream processor for gateways"},
                     config_reference()) +
         manual_foot;
}

}  // namespace weir
