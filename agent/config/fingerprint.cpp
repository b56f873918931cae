#include "agent/config/fingerprint.h"

#include <algorithm>
#include <bit>

#include "agent/base/hash.h"

namespace weir {
namespace {

void append_canonical(const Node& node, std::string& out);

/// Lengths go first, so that no two trees have the same text.
void append_sized(std::string_view text, std::string& out) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

void append_children(const Node& node, std::string& out) {
  std::vector<const Node*> children;
  for (const Node& child : node.children) children.push_back(&child);
  if (node.kind == NodeKind::Table)
    std::sort(children.begin(), children.end(), [](const Node* a, const Node* b) { return a->key < b->key; });
  for (const Node* child : children) {
    if (node.kind == NodeKind::Table) append_sized(child->key, out);
    append_canonical(*child, out);
  }
}

void append_canonical(const Node& node, std::string& out) {
  switch (node.kind) {
    case NodeKind::Boolean:
      out += node.boolean ? 't' : 'f';
      return;
    case NodeKind::Integer:
      out += "i" + std::to_string(node.integer) + ";";
      return;
    case NodeKind::Float:
      out += "r" + std::to_string(std::bit_cast<uint64_t>(node.real)) + ";";
      return;
    case NodeKind::String:
      out += 's';
      append_sized(node.text.value, out);
      return;
    case NodeKind::DateTime:
      out += 'd';
      return;  // no option takes one
    case NodeKind::Array:
    case NodeKind::Table:
      out += node.kind == NodeKind::Array ? '[' : '{';
      append_children(node, out);
      out += node.kind == NodeKind::Array ? ']' : '}';
      return;
  }
}

}  // namespace

uint64_t table_fingerprint(const Node& table) {
  std::string canonical;
  append_canonical(table, canonical);
  return hash64(as_bytes(canonical));
}

}  // namespace weir
