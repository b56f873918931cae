#include "agent/config/step_sections.h"

#include <deque>

namespace weir {
namespace {

OptionType type_of(StepOptionType type) {
  switch (type) {
    case StepOptionType::Boolean:
      return OptionType::Boolean;
    case StepOptionType::Integer:
      return OptionType::Integer;
    case StepOptionType::Number:
      return OptionType::Number;
    case StepOptionType::Duration:
      return OptionType::Duration;
    case StepOptionType::SignedDuration:
      return OptionType::SignedDuration;
    case StepOptionType::Size:
      return OptionType::Size;
    case StepOptionType::Text:
      return OptionType::Text;
    case StepOptionType::Path:
      return OptionType::Path;
    case StepOptionType::Choice:
      return OptionType::Choice;
    case StepOptionType::Expression:
      return OptionType::Expression;
    case StepOptionType::TextList:
      return OptionType::TextList;
    case StepOptionType::ExpressionTable:
      return OptionType::ExpressionTable;
  }
  return OptionType::Text;
}

Option row_of(const StepOption& option) {
  Option row;
  row.key = option.key;
  row.type = type_of(option.type);
  row.member = whole_section<MemberType::Bag>;
  row.required = option.required;
  row.standard = option.standard;
  row.standard_note = option.standard_note;
  row.minimum = option.minimum;
  row.maximum = option.maximum;
  row.choices = option.choices;
  row.table_of = option.table_of;
  row.documentation = option.documentation;
  row.example = option.example;
  return row;
}

struct RegisteredSection {
  const void* kind = nullptr;
  std::string header;
  std::vector<Option> options;
  Section section;
};

/// Elements stay where they are: rows point into them.
std::deque<RegisteredSection>& sections() {
  static std::deque<RegisteredSection> all;
  return all;
}

const Section& find_or_make(const void* kind, std::string header, const char* documentation,
                            std::span<const StepOption> options) {
  for (const RegisteredSection& each : sections())
    if (each.kind == kind) return each.section;
  RegisteredSection& made = sections().emplace_back();
  made.kind = kind;
  made.header = std::move(header);
  for (const StepOption& option : options) made.options.push_back(row_of(option));
  made.section = {.header = made.header.c_str(), .documentation = documentation, .options = made.options};
  return made.section;
}

Option verb_row(const StepKind& kind) {
  Option row;
  row.key = kind.verb;
  row.type = OptionType::Table;
  row.member = member<&StepSpec::options>;
  row.section = &section_of(kind);
  row.only_if_written = true;
  row.documentation = kind.documentation;
  return row;
}

}  // namespace

const Section& section_of(const StepKind& kind) {
  return find_or_make(&kind, std::string("[pipeline.step.") + (kind.custom ? "options" : kind.verb) + "]", kind.documentation,
                      kind.options);
}

const Section& section_of(const TriggerKind& kind) {
  return find_or_make(&kind, "[pipeline.checkpoint.options]", kind.documentation, kind.options);
}

std::span<const Option> with_registered_steps(std::span<const Option> own) {
  static std::vector<Option> rows;
  static size_t kinds = SIZE_MAX;
  if (kinds == step_kinds().size()) return rows;
  kinds = step_kinds().size();
  rows.assign(own.begin(), own.end());
  for (const StepKind* kind : step_kinds())
    if (!kind->custom) rows.push_back(verb_row(*kind));
  return rows;
}

}  // namespace weir
