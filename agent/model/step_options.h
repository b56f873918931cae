// StepOption and StepOptions: the options that a registered step declares, and their values as the configuration gave them. One
// row per option drives parsing, checking, the JSON Schema and the reference page, so that a step is documented by the same
// text that reads it. Rows are constants; values are made once at start.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/config_text.h"

namespace weir {

/// What a value must be. In the configuration Duration, Size, Choice, Text and Expression are strings.
enum class StepOptionType : uint8_t {
  Boolean,
  Integer,
  Number,          // an integer or a float
  Duration,        // kept in ms
  SignedDuration,  // the same, which may stand behind a minus sign
  Size,            // kept in bytes
  Text,            // also the name of a field
  Path,            // of a file; a relative one begins at the directory of the configuration file
  Choice,
  Expression,
  TextList,
  ExpressionTable,  // name = "expression"
};

struct StepOption {
  const char* key = nullptr;
  StepOptionType type = StepOptionType::Text;
  bool required = false;
  const char* standard = nullptr;       // the default, as text
  const char* standard_note = nullptr;  // a default that is no constant, in words
  const char* minimum = nullptr;        // Integer, Number, Duration, Size: the value; Text, TextList: the length
  const char* maximum = nullptr;
  std::span<const char* const> choices = {};
  const char* table_of = "expressions";  // ExpressionTable: what its values are
  const char* documentation = "";
  const char* example = nullptr;  // as it stands in the file
};

struct StepValue {
  std::string key;
  bool given = false;  // written in the file, not the default
  bool boolean = false;
  int64_t integer = 0;  // Integer, Duration (ms), Size (bytes)
  double number = 0;
  Text text;         // Text, Path, Choice, Expression
  std::string path;  // Path: as it is to be opened
  std::vector<Text> list;
  std::vector<NamedExpression> expressions;
  Location at;  // of the value; of the step where it was not given
};

/// The values of one step's options, found by their keys. A key that was neither written nor has a default yields the empty
/// value of its type, with `given` false.
class StepOptions {
 public:
  bool given(std::string_view key) const { return find(key).given; }
  bool boolean(std::string_view key) const { return find(key).boolean; }
  int64_t integer(std::string_view key) const { return find(key).integer; }
  double number(std::string_view key) const { return find(key).number; }
  const Text& text(std::string_view key) const { return find(key).text; }
  const std::string& path(std::string_view key) const { return find(key).path; }
  const std::vector<Text>& list(std::string_view key) const { return find(key).list; }
  const std::vector<NamedExpression>& expressions(std::string_view key) const { return find(key).expressions; }
  Location at(std::string_view key) const { return find(key).at; }

  /// For the parser: the value of `key`, made if it is new.
  StepValue& value(std::string_view key);

 private:
  const StepValue& find(std::string_view key) const;

  std::vector<StepValue> values_;
};

}  // namespace weir
