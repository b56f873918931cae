#include "agent/expression/lexer.h"

#include <algorithm>
#include <charconv>

#include "agent/base/utf8.h"
#include "agent/expression/ascii.h"

namespace weir {
namespace {

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

constexpr Spelling keywords[] = {
    {"and", TokenKind::And}, {"between", TokenKind::Between}, {"false", TokenKind::False}, {"in", TokenKind::In},
    {"is", TokenKind::Is},   {"like", TokenKind::Like},       {"not", TokenKind::Not},     {"null", TokenKind::Null},
    {"or", TokenKind::Or},   {"true", TokenKind::True},
};

// A longer spelling stands before the one that it begins with.
constexpr Spelling symbols[] = {
    {"<=", TokenKind::LessEqual}, {"<>", TokenKind::NotEqual}, {"<", TokenKind::Less},  {">=", TokenKind::GreaterEqual},
    {">", TokenKind::Greater},    {"==", TokenKind::Equal},    {"=", TokenKind::Equal}, {"!=", TokenKind::NotEqual},
    {"!", TokenKind::Not},        {"&&", TokenKind::And},      {"||", TokenKind::Or},   {"??", TokenKind::Coalesce},
    {"?", TokenKind::Question},   {":", TokenKind::Colon},     {"(", TokenKind::Open},  {")", TokenKind::Close},
    {",", TokenKind::Comma},      {"+", TokenKind::Plus},      {"-", TokenKind::Minus}, {"*", TokenKind::Star},
    {"/", TokenKind::Slash},      {"%", TokenKind::Percent},
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_letter(c) || is_digit(c); }

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<ExpressionError>& errors) : text_(text), errors_(errors) {}

  std::vector<Token> split() {
    do {
      while (is_space(peek())) ++position_;
      begin_ = position_;
      tokens_.emplace_back();
      scan();
    } while (token().kind != TokenKind::End);
    return std::move(tokens_);
  }

 private:
  Token& token() { return tokens_.back(); }
  char peek(size_t ahead = 0) const { return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0'; }

  void finish(TokenKind kind) {
    token().kind = kind;
    token().offset = begin_;
    token().length = position_ - begin_;
  }

  void finish_bad(TokenKind kind, const char* message) {
    finish(kind);
    errors_.push_back({begin_, position_ - begin_, message, ""});
  }

  void scan() {
    char c = peek();
    if (position_ == text_.size()) return finish(TokenKind::End);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return scan_number();
    if (is_letter(c)) return scan_name();
    if (c == '\'' || c == '"') return scan_quoted(c, TokenKind::String);
    if (c == '`') return scan_quoted(c, TokenKind::QuotedName);
    scan_symbol();
  }

  void scan_name() {
    while (is_name_part(peek())) ++position_;
    token().text = text_.substr(begin_, position_ - begin_);
    for (const Spelling& keyword : keywords)
      if (equals_ignoring_case(token().text, keyword.text)) return finish(keyword.kind);
    finish(TokenKind::Name);
  }

  void scan_quoted(char quote, TokenKind kind) {
    ++position_;
    for (; position_ < text_.size(); ++position_) {
      if (peek() == quote) {
        ++position_;
        if (peek() != quote) return finish_quoted(kind);
      }
      token().text += peek();
    }
    finish_bad(TokenKind::BadLiteral, "the closing quote is missing");
  }

  void finish_quoted(TokenKind kind) {
    if (!utf8_valid(token().text)) return finish_bad(TokenKind::BadLiteral, "not valid UTF-8");
    finish(kind);
  }

  void skip_digits() {
    while (is_digit(peek())) ++position_;
  }

  void scan_number() {
    bool is_float = false;
    skip_digits();
    if (peek() == '.') {
      is_float = true;
      ++position_;
      if (!is_digit(peek())) return finish_number_bad("expected a digit after the point");
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      is_float = true;
      ++position_;
      if (peek() == '+' || peek() == '-') ++position_;
      if (!is_digit(peek())) return finish_number_bad("expected a digit in the exponent");
      skip_digits();
    }
    if (is_name_part(peek()) || peek() == '.') return finish_number_bad("not a number; a name does not begin with a digit");
    is_float ? finish_float() : finish_integer();
  }

  void finish_number_bad(const char* message) {
    while (is_name_part(peek()) || peek() == '.') ++position_;
    finish_bad(TokenKind::BadLiteral, message);
  }

  void finish_integer() {
    finish(TokenKind::Integer);
    auto result = std::from_chars(text_.data() + begin_, text_.data() + position_, token().magnitude);
    token().out_of_range = result.ec != std::errc();
  }

  void finish_float() {
    finish(TokenKind::Float);
    auto result = std::from_chars(text_.data() + begin_, text_.data() + position_, token().number);
    token().out_of_range = result.ec != std::errc();
  }

  void scan_symbol() {
    for (const Spelling& symbol : symbols) {
      if (text_.substr(position_).starts_with(symbol.text)) {
        position_ += symbol.text.size();
        return finish(symbol.kind);
      }
    }
    char c = peek();
    position_ += std::max<size_t>(1, utf8_sequence_length(text_.substr(position_)));
    if (c == '&') return finish_bad(TokenKind::BadCharacter, "expected \"&&\" or \"and\"");
    if (c == '|') return finish_bad(TokenKind::BadCharacter, "expected \"||\" or \"or\"");
    finish_bad(TokenKind::BadCharacter,
               "this character means nothing here; names with odd characters are written in backticks");
  }

  std::string_view text_;
  std::vector<ExpressionError>& errors_;
  std::vector<Token> tokens_;
  size_t position_ = 0;
  size_t begin_ = 0;
};

}  // namespace

std::vector<Token> split_into_tokens(std::string_view text, std::vector<ExpressionError>& errors) {
  return Lexer(text, errors).split();
}

}  // namespace weir
