// Splits the text of an expression into tokens, all of it at once. Start-up only (allocates). What cannot be a token is
// reported and becomes a Bad token, so that the parser can go on past it and tell what else is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/expression/expression.h"

namespace weir {

enum class TokenKind : uint8_t {
  End,
  BadLiteral,    // a string or number that was reported; stands for a value of unknown type
  BadCharacter,  // was reported; what follows it cannot be understood
  Integer,
  Float,
  String,
  Name,
  QuotedName,  // in backticks
  True,
  False,
  Null,
  And,
  Or,
  Not,
  Between,
  In,
  Like,
  Is,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Equal,
  NotEqual,
  Question,
  Colon,
  Coalesce,  // ??
  Open,
  Close,
  Comma,
};

struct Token {
  TokenKind kind = TokenKind::End;
  size_t offset = 0;
  size_t length = 0;
  std::string text;        // of strings and names: without quotes, doubled quotes made single
  uint64_t magnitude = 0;  // of integers; a sign is the parser's business
  double number = 0;       // of floats
  bool out_of_range = false;
};

/// The tokens of `text`, the last one End. Appends an error for each bad one.
std::vector<Token> split_into_tokens(std::string_view text, std::vector<ExpressionError>& errors);

}  // namespace weir
