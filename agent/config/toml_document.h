// TOML text to a tree of Nodes, each with its place. toml_document.cpp is the only file that knows toml++.
// Used while the agent starts; allocates; the nodes own all they hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/diagnostics.h"

namespace weir {

enum class NodeKind : uint8_t { Boolean, Integer, Float, String, DateTime, Array, Table };

/// "an integer", "a table", ...: for messages.
const char* kind_name(NodeKind kind);

struct Node {
  NodeKind kind = NodeKind::Table;
  std::string key;  // in the table that holds it; empty in an array
  Location key_at;
  uint32_t key_length = 0;  // characters, as all lengths here
  Location at;              // of the value; of the header for a [table]
  uint32_t length = 0;      // of the part on the first line
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  Text text;                   // strings; `at` is where the characters begin, behind the quotes
  bool is_inline = true;       // a table in braces, or an array in brackets
  std::vector<Node> children;  // of tables and arrays, in the order of the text

  /// The child named `name`, or nullptr.
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
};

/// Configurations larger than this are refused.
constexpr size_t config_bytes_max = size_t{1} << 20;

/// Parses `files[index]` into `root`. Reports the first error of the text (TOML knows no more after it) and returns false.
bool parse_toml(const ConfigFiles& files, uint32_t index, Node& root, Diagnostics& diagnostics);

}  // namespace weir
