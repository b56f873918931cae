// Random typed trees, evaluated by the product and by a slow, obvious walk over the tree; and random text, which must end in
// an error, never in a crash. Each run takes a new seed and prints it when it fails; WEIR_SEED in the environment repeats one.
#include "agent/expression/expression.h"
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
  if (operation == "is null") return is_null(walk(*c[0]));
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

Datum walk(const Node& node) {
  const auto& c = node.children;
  const std::string& operation = node.operation;
  if (c.empty()) return node.datum;
  if (operation == "?:") return converted(node, walk(*c[0]).truth == std::optional(true) ? *c[1] : *c[2]);
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
  if (operation == "field" || operation == "literal" || operation == "abs" || operation == "min" || operation == "max" ||
      operation == "length" || operation == "coalesce")
    return 9;
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
        return make(pick({"min", "max"}), type, {type, type}, depth);
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
    switch (below(3)) {
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

  NodePtr grow_time(size_t depth) {
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
    for (size_t i = below(6); i > 0; --i) text += pick({'a', 'b', 'a', 'b', '%', '_'});
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
