// Random typed trees, evaluated by the product and by a slow, obvious walk over the tree; and random text, which must end in
// an error, never in a crash. Each run takes a new seed and prints it when it fails; WEIR_SEED in the environment repeats one.
#include "agent/base/civil_time.h"
#include "agent/expression/expression.h"
#include "agent/expression/functions.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <random>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// A value of the reference: which member counts is known from the node's type; an absent optional is null.
struct Datum {
  std::optional<bool> truth;
  std::optional<int64_t> whole;  // int and time
  std::optional<double> real;
  std::optional<std::string> text;
};

struct Node {
  std::string operation;  // "field", "literal", an operator or a function
  Type type = Type::Null;
  std::string source;  // of fields and literals
  Datum datum;         // their value
  std::vector<std::unique_ptr<Node>> children;
};

using NodePtr = std::unique_ptr<Node>;

// The reference computes ints in 128 bits, where nothing overflows.

using Wide = __int128;

std::optional<int64_t> fit(Wide value) {
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<double> fit(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

Datum walk(const Node& node);

std::optional<double> as_real(const Node& node) {
  Datum datum = walk(node);
  if (node.type == Type::Int) return datum.whole ? std::optional(static_cast<double>(*datum.whole)) : std::nullopt;
  return datum.real;
}

bool is_null(const Datum& datum) { return !datum.truth && !datum.whole && !datum.real && !datum.text; }

bool is_whole(Type type) { return type == Type::Int || type == Type::Time; }

/// A double splits exactly into whole and fraction, and every whole part below 2^100 fits 128 bits.
int order_exactly(int64_t left, double right) {
  if (std::fabs(right) > 1e30) return right > 0 ? -1 : 1;
  double down = std::floor(right);
  Wide whole = static_cast<Wide>(down);
  if (left < whole) return -1;
  if (left > whole) return 1;
  return right > down ? -1 : 0;
}

/// -1, 0, 1 or nothing when either is null.
std::optional<int> order(const Node& left, const Node& right) {
  Datum a = walk(left);
  Datum b = walk(right);
  if (is_null(a) || is_null(b)) return std::nullopt;
  if (left.type == Type::String) return *a.text < *b.text ? -1 : *a.text > *b.text ? 1 : 0;
  if (left.type == Type::Bool) return int{*a.truth} - int{*b.truth};
  if (is_whole(left.type) && is_whole(right.type)) return *a.whole < *b.whole ? -1 : *a.whole > *b.whole ? 1 : 0;
  if (is_whole(left.type)) return order_exactly(*a.whole, *b.real);
  if (is_whole(right.type)) return -order_exactly(*b.whole, *a.real);
  return *a.real < *b.real ? -1 : *a.real > *b.real ? 1 : 0;
}

std::optional<bool> related(const std::string& sign, const Node& left, const Node& right) {
  std::optional<int> by = order(left, right);
  if (!by) return std::nullopt;
  if (sign == "<") return *by < 0;
  if (sign == "<=") return *by <= 0;
  if (sign == ">") return *by > 0;
  if (sign == ">=") return *by >= 0;
  return sign == "=" ? *by == 0 : *by != 0;
}

std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
  if (a == std::optional(false) || b == std::optional(false)) return false;
  if (!a || !b) return std::nullopt;
  return true;
}

std::optional<bool> inverse(std::optional<bool> a) { return a ? std::optional(!*a) : std::nullopt; }

std::optional<bool> either(std::optional<bool> a, std::optional<bool> b) { return inverse(both(inverse(a), inverse(b))); }

/// The definition of `like`, character by character, exponential and plain. Texts here are ASCII.
bool alike(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') return alike(text, pattern.substr(1)) || (!text.empty() && alike(text.substr(1), pattern));
  if (text.empty()) return false;
  return (pattern[0] == '_' || pattern[0] == text[0]) && alike(text.substr(1), pattern.substr(1));
}

std::optional<int64_t> whole_arithmetic(const std::string& sign, std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return std::nullopt;
  if (sign == "+") return fit(Wide{*a} + *b);
  if (sign == "-") return fit(Wide{*a} - *b);
  if (sign == "*") return fit(Wide{*a} * *b);
  if (*b == 0) return std::nullopt;
  return fit(sign == "/" ? Wide{*a} / *b : Wide{*a} % *b);
}

std::optional<double> real_arithmetic(const std::string& sign, std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return std::nullopt;
  if (sign == "+") return fit(*a + *b);
  if (sign == "-") return fit(*a - *b);
  if (sign == "*") return fit(*a * *b);
  if (sign == "/") return fit(*a / *b);
  return fit(std::fmod(*a, *b));
}

/// The value of `child` as one of the type of `parent`.
Datum converted(const Node& parent, const Node& child) {
  if (parent.type != Type::Float) return walk(child);
  Datum datum;
  datum.real = as_real(child);
  return datum;
}

Datum first_not_null(const Node& node) {
  for (const NodePtr& child : node.children)
    if (Datum datum = converted(node, *child); !is_null(datum)) return datum;
  return {};
}

Datum greatest(const Node& node, int wanted) {
  const Node* best = nullptr;
  for (const NodePtr& child : node.children) {
    if (is_null(walk(*child))) return {};
    if (best == nullptr || order(*child, *best) == wanted) best = child.get();
  }
  return converted(node, *best);
}

std::optional<bool> truth(const Node& node) {
  const auto& c = node.children;
  const std::string& operation = node.operation;
  if (operation == "and") return both(walk(*c[0]).truth, walk(*c[1]).truth);
  if (operation == "or") return either(walk(*c[0]).truth, walk(*c[1]).truth);
  if (operation == "not") return inverse(walk(*c[0]).truth);
  if (operation == "is null" || operation == "is_null") return is_null(walk(*c[0]));
  if (operation == "is not null") return !is_null(walk(*c[0]));
  if (operation == "between") return both(related(">=", *c[0], *c[1]), related("<=", *c[0], *c[2]));
  if (operation == "not between") return either(related("<", *c[0], *c[1]), related(">", *c[0], *c[2]));
  if (operation == "in" || operation == "not in") {
    std::optional<bool> any = false;
    for (size_t i = 1; i < c.size(); ++i) any = either(any, related("=", *c[0], *c[i]));
    return operation == "in" ? any : inverse(any);
  }
  if (operation == "like" || operation == "not like") {
    Datum text = walk(*c[0]);
    Datum pattern = walk(*c[1]);
    if (is_null(text) || is_null(pattern)) return std::nullopt;
    return alike(*text.text, *pattern.text) == (operation == "like");
  }
  return related(operation, *c[0], *c[1]);
}

// The functions, each by its definition, over values that are not null. Texts here are ASCII.

Wide floor_down(Wide value, Wide step) {
  const Wide rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

std::string each_letter(std::string text, int (*function)(int)) {
  for (char& c : text) c = static_cast<char>(function(c));
  return text;
}

std::string slice(const std::string& text, int64_t begin, int64_t count) {
  std::string result;
  const auto size = static_cast<int64_t>(text.size());
  if (begin < 0) begin = begin + size < 0 ? 0 : begin + size;
  for (int64_t at = begin; at < size && count > 0; ++at, --count) result += text[static_cast<size_t>(at)];
  return result;
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts(1);
  for (size_t at = 0; at < text.size();) {
    if (!separator.empty() && text.compare(at, separator.size(), separator) == 0) {
      parts.emplace_back();
      at += separator.size();
    } else {
      parts.back() += text[at++];
    }
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string text = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) text += between + parts[i];
  return text;
}

bool globs(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return globs(text, pattern.substr(1)) || (!text.empty() && globs(text.substr(1), pattern));
  if (text.empty()) return false;
  return (pattern[0] == '?' || pattern[0] == text[0]) && globs(text.substr(1), pattern.substr(1));
}

std::optional<int64_t> read_whole(const std::string& text) {
  const size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() == sign || text.find_first_not_of("0123456789", sign) != std::string::npos) return std::nullopt;
  Wide value = 0;
  for (size_t i = sign; i < text.size(); ++i) value = value * 10 + (text[i] - '0');
  return fit(sign == 1 ? -value : value);
}

bool has_bit(int64_t value, int64_t bit) { return floor_down(value, Wide{1} << bit) / (Wide{1} << bit) % 2 != 0; }

/// Bit by bit; the highest one counts -2^63.
int64_t from_bits(bool (*decide)(bool, bool), int64_t a, int64_t b) {
  Wide sum = 0;
  for (int64_t bit = 0; bit < 64; ++bit)
    if (decide(has_bit(a, bit), has_bit(b, bit))) sum += bit == 63 ? -(Wide{1} << bit) : Wide{1} << bit;
  return static_cast<int64_t>(sum);
}

std::optional<bool> bool_call(const std::string& name, const std::vector<Datum>& a) {
  if (name == "contains") return split("x" + *a[0].text + "x", *a[1].text).size() > 1 || a[1].text->empty();
  if (name == "starts_with") return slice(*a[0].text, 0, static_cast<int64_t>(a[1].text->size())) == *a[1].text;
  if (name == "ends_with")
    return a[1].text->size() <= a[0].text->size() &&
           a[0].text->compare(a[0].text->size() - a[1].text->size(), a[1].text->size(), *a[1].text) == 0;
  if (name == "matches") return globs(*a[0].text, *a[1].text);
  if (name == "bit_test") {
    if (*a[1].whole < 0 || *a[1].whole > 63) return std::nullopt;
    return has_bit(*a[0].whole, *a[1].whole);
  }
  if (a[0].whole) return *a[0].whole != 0;  // to_bool
  if (a[0].real) return *a[0].real != 0;
  if (a[0].truth) return a[0].truth;
  if (*a[0].text != "true" && *a[0].text != "false") return std::nullopt;
  return *a[0].text == "true";
}

std::optional<std::string> text_call(const std::string& name, const std::vector<Datum>& a) {
  if (name == "to_string" && a[0].whole) return std::to_string(*a[0].whole);
  if (name == "to_string" && a[0].truth) return *a[0].truth ? "true" : "false";
  const std::string& text = *a[0].text;
  if (name == "lower") return each_letter(text, tolower);
  if (name == "upper") return each_letter(text, toupper);
  if (name == "concat") return text + *a[1].text;
  if (name == "replace") return a[1].text->empty() ? text : joined(split(text, *a[1].text), *a[2].text);
  if (name == "trim") {
    const size_t begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
  }
  if (name == "substr") {
    if (a.size() == 3 && *a[2].whole < 0) return std::nullopt;
    return slice(text, *a[1].whole, a.size() == 3 ? *a[2].whole : INT64_MAX);
  }
  if (name != "split_part") return text;  // to_string
  const std::vector<std::string> parts = split(text, *a[1].text);
  Wide wanted = *a[2].whole;
  if (wanted < 0) wanted += static_cast<Wide>(parts.size());
  if (wanted < 0 || wanted >= static_cast<Wide>(parts.size())) return std::nullopt;
  return parts[static_cast<size_t>(wanted)];
}

Wide length_of(const std::string& unit) {
  if (unit == "hour") return 3'600'000;
  return unit == "day" ? day_ms : 7 * day_ms;
}

std::optional<int64_t> bit_call(const std::string& name, int64_t a, int64_t b) {
  if (name == "bit_and") return from_bits([](bool x, bool y) { return x && y; }, a, b);
  if (name == "bit_or") return from_bits([](bool x, bool y) { return x || y; }, a, b);
  if (name == "bit_xor") return from_bits([](bool x, bool y) { return x != y; }, a, b);
  if (b < 0 || b > 63) return std::nullopt;
  if (name == "shift_right") return static_cast<int64_t>(floor_down(a, Wide{1} << b) / (Wide{1} << b));
  constexpr Wide all = Wide{1} << 64;
  const Wide shifted = Wide{a} * (Wide{1} << b);
  const Wide kept = shifted - floor_down(shifted, all);
  return static_cast<int64_t>(kept >= all / 2 ? kept - all : kept);
}

std::optional<int64_t> time_call(const std::string& name, const std::vector<Datum>& a) {
  const Wide t = *a[0].whole;
  if (name == "time_diff") {
    std::optional<int64_t> difference = fit(t - *a[1].whole);
    return difference ? std::optional(static_cast<int64_t>(*difference / length_of(*a[2].text))) : std::nullopt;
  }
  if (t < civil_min_ms || t > civil_max_ms) return std::nullopt;
  if (name == "hour") return static_cast<int64_t>((t - floor_down(t, day_ms)) / 3'600'000);
  // Weeks begin on Mondays, and 1970 began on a Thursday.
  const Wide shift = *a[1].text == "week" ? 3 * day_ms : 0;
  return static_cast<int64_t>(floor_down(t + shift, length_of(*a[1].text)) - shift);
}

std::optional<int64_t> whole_call(const std::string& name, const std::vector<Datum>& a) {
  if (name == "time_diff" || name == "hour" || name == "truncate_time") return time_call(name, a);
  if (name == "bit_not") return -1 - *a[0].whole;
  if (name.starts_with("bit_") || name.starts_with("shift_")) return bit_call(name, *a[0].whole, *a[1].whole);
  if (name == "sign" && a[0].whole) return *a[0].whole == 0 ? 0 : *a[0].whole < 0 ? -1 : 1;
  if (name == "sign") return *a[0].real == 0 ? 0 : *a[0].real < 0 ? -1 : 1;
  if (a[0].truth) return *a[0].truth ? 1 : 0;  // to_int
  if (a[0].text) return read_whole(*a[0].text);
  if (a[0].real) return std::fabs(*a[0].real) > 1e30 ? std::nullopt : fit(static_cast<Wide>(*a[0].real));
  return a[0].whole;
}

std::optional<double> real_call(const std::string& name, const Datum& a) {
  if (name == "to_float") return a.whole ? static_cast<double>(*a.whole) : *a.real;
  return *a.real < 0 ? std::nullopt : std::optional(std::sqrt(*a.real));
}

bool is_plain_call(const std::string& name) {
  const int index = find_function(name);
  return index >= 0 && name != "abs" && name != "min" && name != "max" && name != "length" && name != "coalesce" &&
         name != "if" && name != "nullif" && name != "clamp" && name != "is_null";
}

Datum call(const Node& node) {
  std::vector<Datum> arguments;
  for (const NodePtr& child : node.children) {
    arguments.push_back(walk(*child));
    if (is_null(arguments.back())) return {};
  }
  Datum result;
  if (node.type == Type::Bool)
    result.truth = bool_call(node.operation, arguments);
  else if (node.type == Type::String)
    result.text = text_call(node.operation, arguments);
  else if (node.type == Type::Float)
    result.real = real_call(node.operation, arguments[0]);
  else
    result.whole = whole_call(node.operation, arguments);
  return result;
}

/// Of three of one type.
Datum between_ends(const Node& node) {
  const auto& c = node.children;
  for (const NodePtr& child : c)
    if (is_null(walk(*child))) return {};
  if (order(*c[1], *c[2]) == 1) return {};
  if (order(*c[0], *c[1]) == -1) return walk(*c[1]);
  return walk(order(*c[0], *c[2]) == 1 ? *c[2] : *c[0]);
}

Datum walk(const Node& node) {
  const auto& c = node.children;
  const std::string& operation = node.operation;
  if (c.empty()) return node.datum;
  if (is_plain_call(operation)) return call(node);
  if (operation == "clamp") return between_ends(node);
  if (operation == "nullif") return order(*c[0], *c[1]) == std::optional(0) ? Datum() : walk(*c[0]);
  if (operation == "?:" || operation == "if") return converted(node, walk(*c[0]).truth == std::optional(true) ? *c[1] : *c[2]);
  if (operation == "??" || operation == "coalesce") return first_not_null(node);
  if (operation == "min") return greatest(node, -1);
  if (operation == "max") return greatest(node, 1);
  Datum result;
  if (operation == "length") {
    if (Datum text = walk(*c[0]); text.text) result.whole = static_cast<int64_t>(text.text->size());
  } else if (node.type == Type::Bool) {
    result.truth = truth(node);
  } else if (operation == "negate") {
    if (node.type == Type::Int) result.whole = whole_arithmetic("-", 0, walk(*c[0]).whole);
    if (node.type == Type::Float && walk(*c[0]).real) result.real = -*walk(*c[0]).real;
  } else if (operation == "abs") {
    Datum inner = walk(*c[0]);
    if (inner.whole) result.whole = *inner.whole < 0 ? whole_arithmetic("-", 0, inner.whole) : inner.whole;
    if (inner.real) result.real = *inner.real < 0 ? -*inner.real : *inner.real == 0 ? 0.0 : *inner.real;
  } else if (node.type == Type::Float) {
    result.real = real_arithmetic(operation, as_real(*c[0]), as_real(*c[1]));
  } else {
    result.whole = whole_arithmetic(operation, walk(*c[0]).whole, walk(*c[1]).whole);
  }
  return result;
}

Value to_value(const Datum& datum, Type type) {
  if (datum.truth) return Value::of_bool(*datum.truth);
  if (datum.real) return Value::of_float(*datum.real);
  if (datum.text) return Value::of_string(*datum.text);
  if (datum.whole) return type == Type::Time ? Value::of_time(*datum.whole) : Value::of_int(*datum.whole);
  return Value::null();
}

int precedence_of(const std::string& operation) {
  if (operation == "?:") return 0;
  if (operation == "or") return 1;
  if (operation == "and") return 2;
  if (operation == "not") return 3;
  if (operation == "??") return 5;
  if (operation == "+" || operation == "-") return 6;
  if (operation == "*" || operation == "/" || operation == "%") return 7;
  if (operation == "negate") return 8;
  if (operation == "field" || operation == "literal" || find_function(operation) >= 0) return 9;
  return 4;
}

/// The text of a tree, with parentheses only where precedence asks for them.
std::string print(const Node& node, int at_least);

std::string print_list(const Node& node, size_t begin) {
  std::string list = "(";
  for (size_t i = begin; i < node.children.size(); ++i) list += (i > begin ? ", " : "") + print(*node.children[i], 0);
  return list + ")";
}

std::string print_bare(const Node& node) {
  const auto& c = node.children;
  const std::string& operation = node.operation;
  int own = precedence_of(operation);
  if (c.empty()) return node.source;
  if (own == 9) return operation + print_list(node, 0);
  if (operation == "?:") return print(*c[0], 1) + " ? " + print(*c[1], 0) + " : " + print(*c[2], 0);
  if (operation == "not") return "not " + print(*c[0], 3);
  if (operation == "negate") return "- " + print(*c[0], 8);
  std::string left = print(*c[0], own);
  if (operation == "is null" || operation == "is not null") return left + " " + operation;
  if (operation == "in" || operation == "not in") return left + " " + operation + " " + print_list(node, 1);
  std::string rest = left + " " + operation + " " + print(*c[1], own + 1);
  return operation.ends_with("between") ? rest + " and " + print(*c[2], own + 1) : rest;
}

std::string print(const Node& node, int at_least) {
  std::string bare = print_bare(node);
  return precedence_of(node.operation) < at_least ? "(" + bare + ")" : bare;
}

/// Grows random trees over a random row.
class Garden {
 public:
  explicit Garden(uint64_t seed) : random_(seed) {}

  size_t below(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }

  template <class T, size_t count>
  T pick(const T (&choices)[count]) {
    return choices[below(count)];
  }

  /// A random row: each field null one time in four.
  void fill(ExpressionFixture& fixture) {
    data_.clear();
    for (size_t i = 0; i < fixture.schema.size(); ++i)
      data_.push_back(below(4) == 0 ? Datum() : random_datum(fixture.schema[i].type));
    for (size_t i = 0; i < data_.size(); ++i) fixture.values[i] = to_value(data_[i], fixture.schema[i].type);
    schema_ = &fixture.schema;
  }

  NodePtr grow(Type type, size_t depth) {
    if (depth == 0 || below(8) == 0) return leaf(type);
    if (below(8) == 0) return choice(type, depth);
    switch (type) {
      case Type::Bool:
        return grow_bool(depth);
      case Type::String:
        return grow_text(depth);
      case Type::Time:
        return grow_time(depth);
      default:
        return grow_number(type, depth);
    }
  }

 private:
  NodePtr make(const char* operation, Type type, std::initializer_list<Type> children, size_t depth) {
    auto node = std::make_unique<Node>();
    node->operation = operation;
    node->type = type;
    for (Type child : children) node->children.push_back(grow(child, depth - 1));
    return node;
  }

  /// For a float at least one of two is float; the other may be int.
  std::pair<Type, Type> parts(Type type) {
    if (type != Type::Float) return {type, type};
    switch (below(3)) {
      case 0:
        return {Type::Float, Type::Int};
      case 1:
        return {Type::Int, Type::Float};
      default:
        return {Type::Float, Type::Float};
    }
  }

  NodePtr choice(Type type, size_t depth) {
    auto [left, right] = parts(type);
    switch (below(6)) {
      case 3:
        return make("if", type, {Type::Bool, left, right}, depth);
      case 4:
        return make("nullif", type, {type, type}, depth);
      case 5:
        return type == Type::Bool ? leaf(type) : make("clamp", type, {type, type, type}, depth);
      case 0:
        return make("?:", type, {Type::Bool, left, right}, depth);
      case 1:
        return make("??", type, {left, right}, depth);
      default:
        return make("coalesce", type, {left, right, left}, depth);
    }
  }

  NodePtr grow_number(Type type, size_t depth) {
    auto [left, right] = parts(type);
    if (below(3) == 0) return type == Type::Int ? grow_whole_call(depth) : grow_real_call(depth);
    switch (below(type == Type::Int ? 7 : 5)) {
      case 0:
        return make("negate", type, {type}, depth);
      case 1:
        return make("abs", type, {type}, depth);
      case 2:
        return make(pick({"min", "max"}), type, {left, right, left}, depth);
      case 5:
        return make("length", type, {Type::String}, depth);
      case 6:
        return make("-", type, {Type::Time, Type::Time}, depth);
      default:
        return make(pick({"+", "-", "*", "/", "%"}), type, {left, right}, depth);
    }
  }

  NodePtr with_unit(NodePtr node) {
    auto unit = std::make_unique<Node>();
    unit->operation = "literal";
    unit->type = Type::String;
    unit->datum.text = pick({"hour", "day", "week"});
    unit->source = "'" + *unit->datum.text + "'";
    node->children.push_back(std::move(unit));
    return node;
  }

  NodePtr grow_whole_call(size_t depth) {
    switch (below(6)) {
      case 0:
        return make("sign", Type::Int, {pick({Type::Int, Type::Float})}, depth);
      case 1:
        return make("to_int", Type::Int, {pick({Type::Int, Type::Float, Type::String, Type::Bool, Type::Time})}, depth);
      case 2:
        return make("bit_not", Type::Int, {Type::Int}, depth);
      case 3:
        return with_unit(make("time_diff", Type::Int, {Type::Time, Type::Time}, depth));
      case 4:
        return make("hour", Type::Int, {Type::Time}, depth);
      default:
        return make(pick({"bit_and", "bit_or", "bit_xor", "shift_left", "shift_right"}), Type::Int, {Type::Int, Type::Int},
                    depth);
    }
  }

  NodePtr grow_real_call(size_t depth) {
    if (below(2) == 0) return make("sqrt", Type::Float, {Type::Float}, depth);
    return make("to_float", Type::Float, {pick({Type::Int, Type::Float})}, depth);
  }

  NodePtr grow_text(size_t depth) {
    constexpr Type text = Type::String;
    switch (below(7)) {
      case 0:
        return make(pick({"min", "max"}), text, {text, text}, depth);
      case 1:
        return make(pick({"lower", "upper", "trim"}), text, {text}, depth);
      case 2:
        return make("substr", text, {text, Type::Int}, depth);
      case 3:
        return make("substr", text, {text, Type::Int, Type::Int}, depth);
      case 4:
        return make("concat", text, {text, text}, depth);
      case 5:
        return below(2) == 0 ? make("replace", text, {text, text, text}, depth)
                             : make("split_part", text, {text, text, Type::Int}, depth);
      default:
        return make("to_string", text, {pick({Type::Int, text, Type::Bool})}, depth);
    }
  }

  NodePtr grow_bool_call(size_t depth) {
    switch (below(4)) {
      case 0:
        return make("is_null", Type::Bool, {pick({Type::Bool, Type::Int, Type::Float, Type::String, Type::Time})}, depth);
      case 1:
        return make("bit_test", Type::Bool, {Type::Int, Type::Int}, depth);
      case 2:
        return make("to_bool", Type::Bool, {pick({Type::Bool, Type::Int, Type::Float, Type::String})}, depth);
      default:
        return make(pick({"contains", "starts_with", "ends_with", "matches"}), Type::Bool, {Type::String, Type::String}, depth);
    }
  }

  NodePtr grow_time(size_t depth) {
    if (below(5) == 0) return with_unit(make("truncate_time", Type::Time, {Type::Time}, depth));
    switch (below(4)) {
      case 0:
        return make("+", Type::Time, {Type::Int, Type::Time}, depth);
      case 1:
        return make(pick({"min", "max"}), Type::Time, {Type::Time, Type::Time}, depth);
      default:
        return make(pick({"+", "-"}), Type::Time, {Type::Time, Type::Int}, depth);
    }
  }

  NodePtr grow_bool(size_t depth) {
    if (below(4) == 0) return grow_bool_call(depth);
    Type any = pick({Type::Bool, Type::Int, Type::Float, Type::String, Type::Time});
    Type ordered = pick({Type::Int, Type::Float, Type::String, Type::Time});
    switch (below(9)) {
      case 0:
        return make("and", Type::Bool, {Type::Bool, Type::Bool}, depth);
      case 1:
        return make("or", Type::Bool, {Type::Bool, Type::Bool}, depth);
      case 2:
        return make("not", Type::Bool, {Type::Bool}, depth);
      case 3:
        return make(pick({"is null", "is not null"}), Type::Bool, {any}, depth);
      case 4:
        return make(pick({"between", "not between"}), Type::Bool, {ordered, peer(ordered), peer(ordered)}, depth);
      case 5:
        return make(pick({"in", "not in"}), Type::Bool, {any, peer(any), peer(any), peer(any)}, depth);
      case 6:
        return make(pick({"like", "not like"}), Type::Bool, {Type::String, Type::String}, depth);
      case 7:
        return make(pick({"=", "!="}), Type::Bool, {any, peer(any)}, depth);
      default:
        return make(pick({"<", "<=", ">", ">="}), Type::Bool, {ordered, peer(ordered)}, depth);
    }
  }

  /// A type that compares with `type`.
  Type peer(Type type) {
    if (type == Type::Time) return pick({Type::Time, Type::Int});
    if (type == Type::Int) return pick({Type::Int, Type::Float, Type::Time});
    return type == Type::Float ? pick({Type::Float, Type::Int}) : type;
  }

  NodePtr leaf(Type type) {
    auto node = std::make_unique<Node>();
    node->type = type;
    if (type != Type::Time && below(2) == 0) {
      node->operation = "literal";
      node->datum = random_datum(type);
      node->source = literal(node->datum);
      return node;
    }
    std::vector<size_t> candidates;
    for (size_t i = 0; i < schema_->size(); ++i)
      if ((*schema_)[i].type == type) candidates.push_back(i);
    size_t index = candidates[below(candidates.size())];
    node->operation = "field";
    node->datum = data_[index];
    node->source = "`" + (*schema_)[index].name + "`";
    return node;
  }

  static std::string literal(const Datum& datum) {
    if (datum.truth) return *datum.truth ? "true" : "false";
    if (datum.text) return "'" + *datum.text + "'";
    if (datum.whole) return std::to_string(*datum.whole);
    char buffer[512];
    // The fixed form needs up to 330 digits; the scientific one is never taken for an int.
    auto end = std::to_chars(buffer, buffer + sizeof buffer, *datum.real, std::chars_format::scientific);
    return std::string(buffer, end.ptr);
  }

  Datum random_datum(Type type) {
    Datum datum;
    switch (type) {
      case Type::Bool:
        datum.truth = below(2) == 0;
        break;
      case Type::String:
        datum.text = random_text();
        break;
      case Type::Float:
        datum.real = random_real();
        break;
      default:
        datum.whole = random_whole();
        break;
    }
    return datum;
  }

  std::string random_text() {
    std::string text;
    for (size_t i = below(6); i > 0; --i) text += pick({'a', 'b', 'a', 'b', 'A', '%', '_', '*', '?', ' ', '1', '-'});
    return text;
  }

  int64_t random_whole() {
    constexpr int64_t corners[] = {0,
                                   1,
                                   -1,
                                   INT64_MAX,
                                   INT64_MIN,
                                   INT64_MIN + 1,
                                   (int64_t{1} << 53) + 1,
                                   -(int64_t{1} << 53) - 1,
                                   int64_t{1} << 53,
                                   3037000500,
                                   INT64_MAX - 512};
    if (below(4) == 0) return pick(corners);
    return static_cast<int64_t>(below(21)) - 10;
  }

  double random_real() {
    constexpr double corners[] = {0.0,
                                  -0.0,
                                  0.5,
                                  -0.5,
                                  1e308,
                                  -1e308,
                                  5e-324,
                                  9223372036854775808.0,
                                  -9223372036854775808.0,
                                  9007199254740992.0,
                                  9223372036854774784.0,
                                  1.7976931348623157e308};
    if (below(4) == 0) return pick(corners);
    return (static_cast<double>(below(41)) - 20) / 4;
  }

  std::mt19937_64 random_;
  const Schema* schema_ = nullptr;
  std::vector<Datum> data_;
};

uint64_t new_seed() {
  const char* given = getenv("WEIR_SEED");
  return given != nullptr ? strtoull(given, nullptr, 10) : std::random_device()();
}

constexpr const char* valid_expressions[] = {
    "temperature between -40 and 125",
    "not (`supply air` + 2.5e0 * -count / 3 % 4 - 1 >= limit) and device like 'pump-%' || running != false",
    "count in (1, 2, 7) && device not in ('a', \"b\") or no_int is not null",
    "running ? coalesce(no_float, temperature, 1) : no_float ?? round(limit)",
    "ts - seen > 1000 and max(ts, seen + 5) <= ts and length(device) <> 4 and !no_bool is null",
    "if(bit_test(count, 2), upper(substr(device, 0, 4)), replace(topic(1), '-', to_string(sqrt(count)))) like 'P%'",
    "truncate_time(ts, 'day', '+05:30') + hour(ts) * 2 > seen and time_diff(ts, seen, 'ms') = nullif(count, 7)",
    "min(abs(-5), floor(2.5), ceil(temperature), 9223372036854775807) not between 'a' and 3",
};

}  // namespace

TEST_GROUP(ExpressionRandom) {
  ExpressionFixture fixture;
  uint64_t seed = new_seed();
  std::string told = "WEIR_SEED=" + std::to_string(seed);

  /// Compiles whatever it is; if it compiles, it runs.
  void survives(std::string_view text) {
    // An exact copy on the heap, so that a sanitizer sees one byte too far.
    std::vector<char> copy(text.begin(), text.end());
    std::string_view view(copy.data(), copy.size());
    for (Type expected : {Type::Null, Type::Bool, Type::Float}) {
      if (fixture.compile(view, expected)) {
        fixture.program.evaluate(fixture.values);
        continue;
      }
      CHECK_TRUE_TEXT(!fixture.errors.empty(), told.c_str());
      for (const ExpressionError& error : fixture.errors)
        CHECK_TRUE_TEXT(error.offset + error.length <= text.size(), (told + " " + std::string(text)).c_str());
    }
    AggregateCall call;
    fixture.errors.clear();
    if (!compile_aggregate_call(view, fixture.schema, call, fixture.errors))
      CHECK_TRUE_TEXT(!fixture.errors.empty(), told.c_str());
  }
};

TEST(ExpressionRandom, agrees_with_a_walk_over_the_tree) {
  Garden garden(seed);
  size_t nulls = 0;
  for (size_t round = 0; round < 20000; ++round) {
    garden.fill(fixture);
    Type type = garden.pick({Type::Bool, Type::Int, Type::Float, Type::String, Type::Time});
    NodePtr tree = garden.grow(type, 1 + garden.below(5));
    std::string text = print(*tree, 0);
    if (text.size() > 4096) continue;
    if (fixture.errors_of(text).find("by the declared lengths") != std::string::npos) continue;
    Datum expected = walk(*tree);
    std::string where = told + " round " + std::to_string(round) + ": " + text;
    STRCMP_EQUAL_TEXT(value_text(to_value(expected, type)).c_str(), fixture.result(text).c_str(), where.c_str());
    CHECK_TRUE_TEXT(fixture.program.type() == type, where.c_str());
    if (is_null(expected)) ++nulls;
  }
  // A generator that makes only nulls would prove nothing.
  CHECK_TRUE_TEXT(nulls < 10000, told.c_str());
}

TEST(ExpressionRandom, valid_expressions_compile) {
  for (const char* text : valid_expressions) {
    std::string errors = fixture.errors_of(text);
    if (std::string_view(text).starts_with("min(")) continue;  // its types are wrong on purpose
    STRCMP_EQUAL_TEXT("no error", errors.c_str(), text);
  }
}

TEST(ExpressionRandom, every_prefix_and_every_suffix_of_an_expression_is_survived) {
  for (std::string_view text : valid_expressions) {
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      survives(text.substr(0, cut));
      survives(text.substr(cut));
    }
  }
}

TEST(ExpressionRandom, random_bytes_are_survived) {
  Garden garden(seed);
  for (size_t round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t i = garden.below(40); i > 0; --i) text += static_cast<char>(garden.below(256));
    survives(text);
  }
}

TEST(ExpressionRandom, random_tokens_are_survived) {
  constexpr const char* tokens[] = {
      "count",
      "temperature",
      "device",
      "running",
      "ts",
      "`supply air`",
      "nope",
      "5",
      "-",
      "2.5",
      "'a'",
      "\"b\"",
      "null",
      "true",
      "and",
      "or",
      "not",
      "between",
      "in",
      "like",
      "is",
      "+",
      "*",
      "/",
      "%",
      "<",
      "<=",
      "=",
      "!=",
      "?",
      ":",
      "??",
      "(",
      ")",
      ",",
      "(",
      ")",
      "abs",
      "min",
      "coalesce",
      "length",
      "#",
      "9223372036854775808",
      "1e999",
      "'",
      "`",
      "!",
      "&&",
      "||",
      "round(",
      "if(",
      "upper(",
      "truncate_time(ts, ",
      "'day'",
      "hour(",
      "topic(",
      "to_string(",
      "substr(",
      "in (",
      "is not null",
  };
  Garden garden(seed);
  for (size_t round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t i = garden.below(30); i > 0; --i) text += std::string(garden.pick(tokens)) + (garden.below(4) != 0 ? " " : "");
    survives(text);
  }
}

TEST(ExpressionRandom, damaged_expressions_are_survived) {
  Garden garden(seed);
  for (size_t round = 0; round < 20000; ++round) {
    std::string text = garden.pick(valid_expressions);
    for (size_t i = 1 + garden.below(3); i > 0; --i) {
      size_t at = garden.below(text.size());
      if (garden.below(2) == 0)
        text.erase(at, 1 + garden.below(3));
      else
        text.insert(at, 1, garden.pick({'(', ')', '\'', '`', '?', '-', '.', 'e', ' ', ','}));
      if (text.empty()) break;
    }
    survives(text);
  }
}
