#include "agent/config/binder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "agent/base/nearest_name.h"
#include "agent/config/field_rule.h"
#include "agent/config/quantity.h"
#include "agent/config/step_sections.h"

namespace weir {
namespace {

constexpr size_t name_bytes_max = 63;

template <class Type>
Type& as(const Member& member, void* section) {
  return *static_cast<Type*>(member.address(section));
}

const char* wanted_name(OptionType type) {
  switch (type) {
    case OptionType::Boolean:
      return "true or false";
    case OptionType::Integer:
      return "an integer";
    case OptionType::Number:
      return "a number";
    case OptionType::Duration:
      return "a duration such as \"5s\"";
    case OptionType::SignedDuration:
      return "a duration such as \"5s\" or \"-5s\"";
    case OptionType::DurationOrCount:
      return "a duration such as \"5s\" or an integer";
    case OptionType::Size:
      return "a size such as \"8MiB\"";
    case OptionType::Name:
    case OptionType::Text:
    case OptionType::Path:
    case OptionType::Choice:
      return "a string";
    case OptionType::Expression:
      return "an expression in a string";
    case OptionType::TextList:
      return "an array of strings";
    case OptionType::Fields:
    case OptionType::ExpressionTable:
    case OptionType::AggregateTable:
      return "a table of strings";
    case OptionType::Table:
    case OptionType::NamedTables:
      return "a table";
    case OptionType::TableArray:
      return "an array of tables";
  }
  return "";
}

/// Binds one section: one pass over the table's rows, one over the nodes that no row asked for.
class SectionBinder {
 public:
  SectionBinder(const Section& section, const Node* table, void* target, CheckContext& context)
      : section_(section), table_(table), target_(target), context_(context) {}

  void bind(Location place_if_absent);

 private:
  void bind_option(const Option& option);
  StepValue& in_bag(const Option& option) const;
  void note_written(const Option& option, const Node& node);
  void bind_value(const Option& option, const Node& node);
  void bind_number(const Option& option, const Node& node);
  void bind_real(const Option& option, const Node& node);
  void bind_quantity(const Option& option, const Node& node);
  void bind_text(const Option& option, const Node& node);
  std::string resolved(const Text& path) const;
  void bind_list(const Option& option, const Node& node);
  void bind_fields(const Node& node);
  void bind_expressions(const Option& option, const Node& node);
  const Section* section_for(const Option& option) const;
  const Node* naming_node() const;
  void bind_absent_table(const Option& option);
  bool bind_expression(const Option& option, const Node& node, NamedExpression& named);
  bool bind_filtered(const Node& node, NamedExpression& named);
  void bind_table(const Option& option, const Node* node);
  void bind_tables(const Option& option, const Node& node);

  bool accept_kind(const Option& option, const Node& node, NodeKind kind);
  bool accept_choice(const Option& option, const Node& node);
  bool accept_range(const Option& option, const Node& node, int64_t value);
  bool accept_length(const Option& option, const Node& node, size_t length, const char* of_what);
  void store_number(const Option& option, int64_t value);
  void store_default(const Option& option);
  void store_default_in_bag(const Option& option);
  std::vector<std::string> known_keys() const;
  bool is_misspelt(const Option& option) const;
  void report_missing(const Option& option);
  void report_unknown_keys();
  std::string header() const;
  void error(const Node& node, std::string_view message, std::string_view help = {}) {
    good_ = false;
    context_.diagnostics.error(node.at, node.length, message, help);
  }

  template <class Type>
  Type& into(const Option& option);

  const Section& section_;
  const Node* table_;  // nullptr: the section is not there
  void* target_;
  CheckContext& context_;
  bool good_ = true;  // the value in hand
};

/// The value of a row whose member is a bag.
StepValue& SectionBinder::in_bag(const Option& option) const {
  return as<StepOptions>(option.member, target_).value(option.key);
}

/// The member that the row names; in a bag, the part of the row's value that is of this type.
template <class Type>
Type& SectionBinder::into(const Option& option) {
  if (option.member.type == MemberType::Bag) {
    StepValue& value = in_bag(option);
    if constexpr (std::is_same_v<Type, bool>) return value.boolean;
    if constexpr (std::is_same_v<Type, int64_t>) return value.integer;
    if constexpr (std::is_same_v<Type, double>) return value.number;
    if constexpr (std::is_same_v<Type, Text>) return value.text;
    if constexpr (std::is_same_v<Type, std::vector<Text>>) return value.list;
    if constexpr (std::is_same_v<Type, std::vector<NamedExpression>>) return value.expressions;
  }
  return as<Type>(option.member, target_);
}

void SectionBinder::bind(Location place_if_absent) {
  if (section_.at.address) as<Location>(section_.at, target_) = table_ ? table_->at : place_if_absent;
  if (section_.given.address) as<bool>(section_.given, target_) = table_ != nullptr;
  if (section_.name.address && table_) as<std::string>(section_.name, target_) = table_->key;
  const size_t errors_before = context_.diagnostics.errors();
  for (const Option& option : section_.options) bind_option(option);
  if (!table_) return;
  report_unknown_keys();
  if (section_.check) section_.check(*table_, target_, context_);
  if (section_.broken.address) as<bool>(section_.broken, target_) = context_.diagnostics.errors() > errors_before;
}

void SectionBinder::bind_option(const Option& option) {
  store_default(option);
  const Node* node = table_ ? table_->find(option.key) : nullptr;
  if (option.type == OptionType::Table && !node) bind_absent_table(option);
  if (!node) {
    if (option.required && table_) report_missing(option);
    return;
  }
  if (option.place.address) as<Location>(option.place, target_) = node->kind == NodeKind::String ? node->text.at : node->at;
  if (option.member.type == MemberType::Bag) note_written(option, *node);
  good_ = true;
  bind_value(option, *node);
  // What is wrong counts as not given.
  if (!good_ && option.member.type == MemberType::Bag) in_bag(option).given = false;
  if (good_ && option.check) option.check(*node, target_, context_);
}

void SectionBinder::note_written(const Option& option, const Node& node) {
  StepValue& value = in_bag(option);
  value.given = true;
  value.at = node.kind == NodeKind::String ? node.text.at : node.at;
}

void SectionBinder::bind_value(const Option& option, const Node& node) {
  switch (option.type) {
    case OptionType::Boolean:
      if (accept_kind(option, node, NodeKind::Boolean)) into<bool>(option) = node.boolean;
      return;
    case OptionType::Integer:
      return bind_number(option, node);
    case OptionType::Number:
      return bind_real(option, node);
    case OptionType::DurationOrCount:
      return node.kind == NodeKind::Integer ? bind_number(option, node) : bind_quantity(option, node);
    case OptionType::Duration:
    case OptionType::SignedDuration:
    case OptionType::Size:
      return bind_quantity(option, node);
    case OptionType::Name:
    case OptionType::Text:
    case OptionType::Path:
    case OptionType::Choice:
    case OptionType::Expression:
      return bind_text(option, node);
    case OptionType::TextList:
      return bind_list(option, node);
    case OptionType::Fields:
      if (accept_kind(option, node, NodeKind::Table)) bind_fields(node);
      return;
    case OptionType::ExpressionTable:
    case OptionType::AggregateTable:
      return bind_expressions(option, node);
    case OptionType::Table:
      if (!accept_kind(option, node, NodeKind::Table)) return bind_table(option, nullptr);
      return bind_table(option, &node);
    case OptionType::TableArray:
    case OptionType::NamedTables:
      return bind_tables(option, node);
  }
}

void SectionBinder::bind_number(const Option& option, const Node& node) {
  if (accept_kind(option, node, NodeKind::Integer) && accept_range(option, node, node.integer))
    store_number(option, node.integer);
}

void SectionBinder::bind_real(const Option& option, const Node& node) {
  if (node.kind != NodeKind::Integer && !accept_kind(option, node, NodeKind::Float)) return;
  const double value = node.kind == NodeKind::Integer ? static_cast<double>(node.integer) : node.real;
  const double minimum = option.minimum ? strtod(option.minimum, nullptr) : -HUGE_VAL;
  const double maximum = option.maximum ? strtod(option.maximum, nullptr) : HUGE_VAL;
  if (std::isfinite(value) && value >= minimum && value <= maximum) {
    into<double>(option) = value;
    return;
  }
  std::string range = option.maximum ? "from " + std::string(option.minimum) + " to " + option.maximum
                                     : std::string(option.minimum ? option.minimum : "a finite number") + " or more";
  error(node, "\"" + std::string(option.key) + "\" must be " + range);
}

Quantity quantity_of(OptionType type, std::string_view text) {
  if (type == OptionType::Size) return parse_size(text);
  return type == OptionType::SignedDuration ? parse_signed_duration(text) : parse_duration(text);
}

void SectionBinder::bind_quantity(const Option& option, const Node& node) {
  bool is_duration = option.type != OptionType::Size;
  if (node.kind == NodeKind::Integer && node.integer != 0) {
    std::string number = std::to_string(node.integer);
    return error(node, "\"" + std::string(option.key) + "\" has no unit",
                 "write a number and a unit in quotes, such as \"" + number + (is_duration ? "s" : "KiB") +
                     "\"; units: " + (is_duration ? duration_units : size_units));
  }
  Quantity quantity;
  if (node.kind != NodeKind::Integer) {
    if (!accept_kind(option, node, NodeKind::String)) return;
    quantity = quantity_of(option.type, node.text.value);
    if (!quantity.problem.empty()) return error(node, quantity.problem, quantity.help);
  }
  if (accept_range(option, node, quantity.value)) store_number(option, quantity.value);
}

void SectionBinder::bind_text(const Option& option, const Node& node) {
  if (!accept_kind(option, node, NodeKind::String)) return;
  if (option.type == OptionType::Name && !is_name(node.text.value))
    return error(node, "\"" + std::string(option.key) + "\" must be 1 to 63 of the characters A-Z a-z 0-9 _ . -");
  if (option.type == OptionType::Choice && !accept_choice(option, node)) return;
  const bool is_text = option.type == OptionType::Text || option.type == OptionType::Path;
  if (is_text && !accept_length(option, node, node.text.value.size(), "bytes")) return;
  if (option.type == OptionType::Path) in_bag(option).path = resolved(node.text);
  if (option.member.type == MemberType::Located || option.member.type == MemberType::Bag) {
    into<Text>(option) = node.text;
  } else {
    into<std::string>(option) = node.text.value;
  }
}

/// A relative path begins where the file lies that names it; on the command line, where weir was started.
std::string SectionBinder::resolved(const Text& path) const {
  const ConfigFile& file = context_.files[path.at.file];
  const size_t slash = file.name.rfind('/');
  if (path.value.starts_with('/') || file.is_override || slash == std::string::npos) return path.value;
  return file.name.substr(0, slash + 1) + path.value;
}

void SectionBinder::bind_list(const Option& option, const Node& node) {
  if (!accept_kind(option, node, NodeKind::Array)) return;
  if (!accept_length(option, node, node.children.size(), "elements")) return;
  std::vector<Text>& list = into<std::vector<Text>>(option);
  for (const Node& each : node.children) {
    if (each.kind == NodeKind::String) {
      list.push_back(each.text);
    } else {
      error(each, "\"" + std::string(option.key) + "\" is an array of strings, and this is " + kind_name(each.kind));
    }
  }
}

void SectionBinder::bind_fields(const Node& node) {
  SourceSpec& source = *static_cast<SourceSpec*>(target_);
  if (node.children.empty()) error(node, "\"fields\" is empty", "name at least one: fields = { temperature = \"float\" }");
  if (node.children.size() > fields_max) error(node, "a record has at most " + std::to_string(fields_max) + " fields");
  for (const Node& each : node.children) {
    if (source.fields.size() == fields_max) return;
    SourceField field;
    if (!parse_field_rule(each, field, context_.diagnostics)) continue;
    source.fields.push_back(std::move(field));
    source.field_at.push_back(each.key_at);
  }
}

void SectionBinder::bind_expressions(const Option& option, const Node& node) {
  if (!accept_kind(option, node, NodeKind::Table)) return;
  if (node.children.empty()) error(node, "\"" + std::string(option.key) + "\" is empty");
  std::vector<NamedExpression>& list = into<std::vector<NamedExpression>>(option);
  for (const Node& each : node.children) {
    if (each.key.empty() || each.key.size() > name_bytes_max) {
      context_.diagnostics.error(each.key_at, each.key_length, "a field's name has 1 to 63 bytes");
    } else if (list.size() == fields_max) {
      return error(node, "a record has at most " + std::to_string(fields_max) + " fields");
    } else if (NamedExpression named{each.key, each.key_at, {}}; bind_expression(option, each, named)) {
      list.push_back(std::move(named));
    }
  }
}

/// The section of a row without one is that of the custom operator, or trigger, that the table names.
const Section* SectionBinder::section_for(const Option& option) const {
  if (option.section) return option.section;
  if (const Node* name = naming_node(); name != nullptr) {
    if (name->key == "trigger") {
      const TriggerKind* kind = find_trigger_kind(name->text.value);
      return kind ? &section_of(*kind) : nullptr;
    }
    const StepKind* kind = find_step_kind(name->text.value);
    return kind && kind->custom ? &section_of(*kind) : nullptr;
  }
  return nullptr;
}

/// The text that says whose options a table's `options` are; nullptr if there is none.
const Node* SectionBinder::naming_node() const {
  for (const char* key : {"operator", "trigger"})
    if (const Node* name = table_ ? table_->find(key) : nullptr; name && name->kind == NodeKind::String) return name;
  return nullptr;
}

void SectionBinder::bind_absent_table(const Option& option) {
  if (!option.only_if_written) return bind_table(option, nullptr);
  if (option.section || !section_for(option)) return;
  // The options of what is named are checked and have their defaults also where none is written.
  Node empty;
  empty.at = naming_node()->at;
  empty.length = naming_node()->length;
  bind_table(option, &empty);
}

const char* value_of_table(const Option& option) {
  return std::string_view(option.table_of) == "expressions" ? "an expression in a string" : "a string";
}

bool SectionBinder::bind_expression(const Option& option, const Node& node, NamedExpression& named) {
  if (option.type == OptionType::AggregateTable && node.kind == NodeKind::Table) return bind_filtered(node, named);
  named.expression = node.text;
  if (node.kind != NodeKind::String)
    error(node, quoted(node.key) + " must be " + value_of_table(option) + ", not " + kind_name(node.kind));
  return node.kind == NodeKind::String;
}

/// { value = "count()", filter = "temperature > 80" }
bool SectionBinder::bind_filtered(const Node& node, NamedExpression& named) {
  const std::vector<std::string> known = {"value", "filter"};
  bool bound = true;
  for (const Node& each : node.children) {
    if (each.key != known[0] && each.key != known[1]) {
      bound = false;
      context_.diagnostics.error(each.key_at, each.key_length, "unknown key " + quoted(each.key) + " in " + quoted(node.key),
                                 suggest(each.key, known, "there are:"));
    } else if (each.kind != NodeKind::String) {
      bound = false;
      error(each, quoted(each.key) + " must be an expression in a string, not " + kind_name(each.kind));
    } else {
      (each.key == known[0] ? named.expression : named.filter) = each.text;
    }
  }
  if (bound && node.find(known[0]) == nullptr) {
    bound = false;
    error(node, quoted(node.key) + " needs \"value\"", "for example: { value = \"count()\", filter = \"temperature > 80\" }");
  }
  return bound;
}

void SectionBinder::bind_table(const Option& option, const Node* node) {
  const Section* section = section_for(option);
  if (!section) return;  // the name is unknown, and reported
  Location absent = table_ ? table_->at : Location{};
  SectionBinder(*section, node, option.member.address(target_), context_).bind(absent);
}

void SectionBinder::bind_tables(const Option& option, const Node& node) {
  bool named = option.type == OptionType::NamedTables;
  if (option.one_table_will_do && node.kind == NodeKind::Table) {
    SectionBinder(*option.section, &node, option.member.append(option.member.address(target_)), context_).bind(node.at);
    return;
  }
  if (!accept_kind(option, node, named ? NodeKind::Table : NodeKind::Array)) return;
  void* list = option.member.address(target_);
  for (const Node& each : node.children) {
    if (each.kind != NodeKind::Table) {
      error(each,
            std::string(named ? quoted(each.key) + " under " : "an element of ") + "\"" + option.key +
                "\" must be a table, not " + kind_name(each.kind),
            std::string("write ") + option.section->header);
    } else if (named && !is_name(each.key)) {
      context_.diagnostics.error(each.key_at, each.key_length, "a name has 1 to 63 of the characters A-Z a-z 0-9 _ . -");
    } else {
      SectionBinder(*option.section, &each, option.member.append(list), context_).bind(each.at);
    }
  }
  if (option.required && node.children.empty()) error(node, "\"" + std::string(option.key) + "\" is empty");
}

bool SectionBinder::accept_kind(const Option& option, const Node& node, NodeKind kind) {
  if (node.kind == kind) return true;
  std::string help;
  if (option.type == OptionType::TableArray && node.kind == NodeKind::Table && !node.is_inline)
    help = std::string("double brackets: ") + option.section->header;
  if (kind == NodeKind::Table && node.kind == NodeKind::Array && !node.is_inline && option.section)
    help = std::string("single brackets: ") + option.section->header;
  if (help.empty() && option.example) help = std::string("for example: ") + option.example;
  error(node, "\"" + std::string(option.key) + "\" must be " + wanted_name(option.type) + ", not " + kind_name(node.kind),
        help);
  return false;
}

bool SectionBinder::accept_choice(const Option& option, const Node& node) {
  const std::string& value = node.text.value;
  std::vector<std::string> choices(option.choices.begin(), option.choices.end());
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return true;
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "\"" : ", \"") + choice + "\"";
  bool is_later = std::find(option.later.begin(), option.later.end(), value) != option.later.end();
  if (is_later) {
    error(node, std::string(option.key) + " = " + quoted(value) + " is not in this version of weir", "there is " + list);
  } else {
    error(node, "unknown value " + quoted(value) + " for \"" + option.key + "\"", suggest(value, choices, "there is"));
  }
  return false;
}

std::string shown_bound(OptionType type, int64_t value) {
  if (type == OptionType::Duration || type == OptionType::SignedDuration) return duration_text(value);
  if (type == OptionType::Size) return size_text(value);
  return std::to_string(value);
}

bool SectionBinder::accept_range(const Option& option, const Node& node, int64_t value) {
  int64_t minimum = option.minimum ? bound_value(option.type, option.minimum) : INT64_MIN;
  int64_t maximum = option.maximum ? bound_value(option.type, option.maximum) : INT64_MAX;
  if (value >= minimum && value <= maximum) return true;
  std::string range = option.maximum ? "from " + shown_bound(option.type, minimum) + " to " + shown_bound(option.type, maximum)
                                     : shown_bound(option.type, minimum) + " or more";
  error(node, "\"" + std::string(option.key) + "\" must be " + range + ", not " + shown_bound(option.type, value),
        option.range_reason ? option.range_reason : "");
  return false;
}

bool SectionBinder::accept_length(const Option& option, const Node& node, size_t length, const char* of_what) {
  size_t minimum = option.minimum ? static_cast<size_t>(bound_value(option.type, option.minimum)) : 0;
  size_t maximum = option.maximum ? static_cast<size_t>(bound_value(option.type, option.maximum)) : SIZE_MAX;
  if (length >= minimum && length <= maximum) return true;
  std::string key = "\"" + std::string(option.key) + "\"";
  if (length < minimum) {
    error(node, key + " is empty");
  } else {
    error(node, key + " has at most " + std::to_string(maximum) + " " + of_what + ", not " + std::to_string(length));
  }
  return false;
}

void SectionBinder::store_number(const Option& option, int64_t value) {
  if (option.member.type == MemberType::Signed || option.member.type == MemberType::Bag) {
    into<int64_t>(option) = value;
  } else {
    into<uint64_t>(option) = static_cast<uint64_t>(value);
  }
}

void SectionBinder::store_default_in_bag(const Option& option) {
  StepValue& value = in_bag(option);
  if (table_) value.at = table_->at;
  if (!option.standard) return;
  if (option.type == OptionType::Boolean) {
    value.boolean = strcmp(option.standard, "true") == 0;
  } else if (option.type == OptionType::Number) {
    value.number = strtod(option.standard, nullptr);
  } else if (option.type == OptionType::Integer || option.type == OptionType::Duration ||
             option.type == OptionType::SignedDuration || option.type == OptionType::Size) {
    value.integer = bound_value(option.type, option.standard);
  } else {
    value.text.value = option.standard;
  }
}

void SectionBinder::store_default(const Option& option) {
  if (option.member.type == MemberType::Bag) return store_default_in_bag(option);
  if (!option.standard) return;
  switch (option.member.type) {
    case MemberType::Bool:
      into<bool>(option) = strcmp(option.standard, "true") == 0;
      return;
    case MemberType::Signed:
    case MemberType::Unsigned:
      return store_number(option, bound_value(option.type, option.standard));
    case MemberType::Real:
      into<double>(option) = strtod(option.standard, nullptr);
      return;
    case MemberType::String:
      into<std::string>(option) = option.standard;
      return;
    default:
      return;
  }
}

std::vector<std::string> SectionBinder::known_keys() const {
  std::vector<std::string> known;
  for (const Option& option : section_.options) known.emplace_back(option.key);
  return known;
}

/// Then the unknown key is what is told.
bool SectionBinder::is_misspelt(const Option& option) const {
  const std::vector<std::string> known = known_keys();
  return std::ranges::any_of(table_->children, [&](const Node& child) {
    return std::ranges::find(known, child.key) == known.end() && nearest_name(child.key, known) == option.key;
  });
}

void SectionBinder::report_missing(const Option& option) {
  if (is_misspelt(option)) return;
  std::string message;
  std::string help;
  if (option.type == OptionType::Table || option.type == OptionType::TableArray) {
    message = std::string(option.section->header) + " is missing";
    help = option.type == OptionType::Table ? "it stands below its " + std::string(section_.header) : option.documentation;
    if (option.type == OptionType::TableArray) help = "a configuration has at least one";
  } else {
    message = header() + " needs \"" + option.key + "\"";
    help = option.example ? std::string("for example: ") + option.example : "";
  }
  context_.diagnostics.error(table_->at, table_->length, message, help);
}

void SectionBinder::report_unknown_keys() {
  const std::vector<std::string> known = known_keys();
  for (const Node& child : table_->children) {
    if (std::find(known.begin(), known.end(), child.key) != known.end()) continue;
    if (section_.header == std::string_view("[[pipeline.step]]") && step_left_out(child.key))
      context_.diagnostics.error(child.key_at, child.key_length, "this build of weir has no step " + quoted(child.key),
                                 "it was left out with WEIR_WITHOUT_STEPS");
    else
      context_.diagnostics.error(child.key_at, child.key_length, "unknown key " + quoted(child.key) + " in " + header(),
                                 suggest(child.key, known, "there are:"));
  }
}

/// The section as the user wrote it: [mqtt.local], not [mqtt.NAME].
std::string SectionBinder::header() const {
  std::string text = section_.header;
  size_t at = section_.name.address ? text.find("NAME") : std::string::npos;
  if (at != std::string::npos) text.replace(at, 4, table_->key);
  return text;
}

}  // namespace

void bind_specification(const Node& root, Specification& specification, CheckContext& context) {
  SectionBinder(config_section(), &root, &specification, context).bind(root.at);
}

bool is_name(std::string_view text) {
  auto allowed = [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '.' || character == '-';
  };
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), allowed);
}

int64_t bound_value(OptionType type, const char* text) {
  if (type == OptionType::Duration || type == OptionType::SignedDuration) return parse_signed_duration(text).value;
  if (type == OptionType::Size) return parse_size(text).value;
  return strtoll(text, nullptr, 10);
}

}  // namespace weir
