// Option and Section: the form of the one table (option_table.cpp) that drives parsing, checking, the JSON Schema and the
// reference page. Rows are constants; a member's address and type are taken from the specification, so that a row that does not
// fit its member does not compile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "agent/config/spec.h"

namespace weir {

struct Node;
struct Section;
class Diagnostics;
struct ConfigFile;

/// What a value must be. In the configuration: Name, Text, Duration, Size, Choice and Expression are strings.
enum class OptionType : uint8_t {
  Boolean,
  Integer,
  Number,  // an integer or a float
  Name,    // 1 to 63 of A-Z a-z 0-9 _ . -
  Text,
  Duration,         // kept in ms
  SignedDuration,   // the same, which may stand behind a minus sign
  DurationOrCount,  // kept in ms, or an integer as it stands
  Size,             // kept in bytes
  Path,             // of registered steps only; relative to the configuration file
  Choice,
  Expression,
  TextList,
  Fields,           // name = "TYPE PATH"; see field_rule.h
  ExpressionTable,  // name = "expression"
  AggregateTable,   // name = "expression" or { value = "expression", filter = "expression" }
  Table,
  TableArray,   // [[name]]
  NamedTables,  // [name.ANY]
};

enum class MemberType : uint8_t {
  None,
  Bool,
  Signed,
  Unsigned,
  Real,
  String,
  Located,
  LocatedList,
  Expressions,
  Source,
  Place,
  Struct,
  Structs,
  Bag  // StepOptions: whatever the row's type yields, under the row's key
};

/// How to reach a member of a section's struct, and of what type it is.
struct Member {
  void* (*address)(void* section) = nullptr;
  MemberType type = MemberType::None;
  void* (*append)(void* structs) = nullptr;  // Structs: a new element at the end
};

template <class Class, class MemberValue>
MemberValue member_pointer_type(MemberValue Class::*);
template <class Class, class MemberValue>
Class member_pointer_class(MemberValue Class::*);

template <class MemberValue>
constexpr bool is_vector = false;
template <class Element>
constexpr bool is_vector<std::vector<Element>> = true;

template <class MemberValue>
constexpr MemberType member_type() {
  if constexpr (std::is_same_v<MemberValue, bool>) return MemberType::Bool;
  if constexpr (std::is_same_v<MemberValue, int64_t>) return MemberType::Signed;
  if constexpr (std::is_same_v<MemberValue, uint64_t>) return MemberType::Unsigned;
  if constexpr (std::is_same_v<MemberValue, double>) return MemberType::Real;
  if constexpr (std::is_same_v<MemberValue, std::string>) return MemberType::String;
  if constexpr (std::is_same_v<MemberValue, Text>) return MemberType::Located;
  if constexpr (std::is_same_v<MemberValue, std::vector<Text>>) return MemberType::LocatedList;
  if constexpr (std::is_same_v<MemberValue, std::vector<NamedExpression>>) return MemberType::Expressions;
  if constexpr (std::is_same_v<MemberValue, Location>) return MemberType::Place;
  return is_vector<MemberValue> ? MemberType::Structs : MemberType::Struct;
}

/// The row's member: `member<&SinkSpec::qos>`.
template <auto pointer>
constexpr Member member_of() {
  using Class = decltype(member_pointer_class(pointer));
  using MemberValue = decltype(member_pointer_type(pointer));
  Member result;
  result.address = [](void* section) -> void* { return &(static_cast<Class*>(section)->*pointer); };
  result.type = member_type<MemberValue>();
  if constexpr (member_type<MemberValue>() == MemberType::Structs)
    result.append = [](void* structs) -> void* { return &static_cast<MemberValue*>(structs)->emplace_back(); };
  return result;
}
template <auto pointer>
constexpr Member member = member_of<pointer>();

/// For what is parsed into several members of the section's struct itself: a source's fields, the options of `window`.
template <MemberType type>
constexpr Member whole_section = {[](void* section) -> void* { return section; }, type, nullptr};

/// What a check may use: the node that was written and the place to report to.
struct CheckContext {
  Diagnostics& diagnostics;
  const std::vector<ConfigFile>& files;
};
using Check = void (*)(const Node& node, void* section, CheckContext& context);

struct Option {
  const char* key = nullptr;
  OptionType type = OptionType::Text;
  Member member = {};
  Member place = {};  // Location: where the value stands, if it is wanted
  bool required = false;
  const char* standard = nullptr;       // the default, as text
  const char* standard_note = nullptr;  // a default that is no constant, in words
  const char* minimum = nullptr;        // Integer, Duration, Size: the value; Text, TextList: the length (bytes, elements)
  const char* maximum = nullptr;
  const char* range_reason = nullptr;  // told to whoever leaves the range
  std::span<const char* const> choices = {};
  std::span<const char* const> later = {};  // choices that this version does not know yet
  const Section* section = nullptr;
  const char* table_of = "expressions";  // ExpressionTable: what its values are
  bool one_table_will_do = false;        // TableArray: [name] stands for the only element
  bool only_if_written = false;          // Table: leave the struct alone where the file has no such table
  const char* documentation = "";
  const char* example = nullptr;  // as it stands in the file
  Check check = nullptr;          // what the row cannot say; called with a value of the right type
};

struct Section {
  const char* header = "";  // "[pipeline.source]"
  const char* documentation = "";
  std::span<const Option> options = {};
  Member at = {};      // Location of the section, if it is kept
  Member given = {};   // bool: whether the section was written
  Member broken = {};  // bool: whether anything in it is wrong
  Member name = {};    // NamedTables: takes the key
  Check check = nullptr;
};

/// The whole configuration: its struct is Specification.
const Section& config_section();

}  // namespace weir
