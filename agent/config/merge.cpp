#include "agent/config/merge.h"

#include <algorithm>

#include "agent/base/utf8.h"

namespace weir {
namespace {

bool is_open_table(const Node& node) { return node.kind == NodeKind::Table && !node.is_inline; }
bool is_open_array(const Node& node) { return node.kind == NodeKind::Array && !node.is_inline; }

/// Where the value of an override begins, behind the first '=' outside quotes; npos if there is none.
size_t value_begin(std::string_view text) {
  char quote = '\0';
  for (size_t at = 0; at < text.size(); ++at) {
    char character = text[at];
    if (quote == '\0' && character == '=') return at + 1;
    if (quote == '\0' && (character == '"' || character == '\'')) {
      quote = character;
    } else if (character == quote) {
      quote = '\0';
    }
  }
  return std::string_view::npos;
}

/// The element of an array of tables that an override calls by its name or id, or by its position.
Node* find_element(Node& array, const std::string& name) {
  for (Node& element : array.children) {
    const Node* label = element.find("name") ? element.find("name") : element.find("id");
    if (label && label->kind == NodeKind::String && label->text.value == name) return &element;
  }
  bool is_number = !name.empty() && name.size() < 6 && name.find_first_not_of("0123456789") == std::string::npos;
  size_t position = is_number ? std::stoul(name) : array.children.size();
  return position < array.children.size() ? &array.children[position] : nullptr;
}

void place(Node& to, Node from) {
  std::string key = std::move(to.key);
  to = std::move(from);
  to.key = std::move(key);
}

/// Lays the tree of an override over `into`. It is a single path, so that an error leaves nothing behind.
void overlay(Node& into, Node from, Diagnostics& diagnostics) {
  for (Node& child : from.children) {
    Node* target = into.kind == NodeKind::Array ? find_element(into, child.key) : into.find(child.key);
    if (!target && into.kind == NodeKind::Array) {
      diagnostics.error(child.key_at, child.key_length,
                        "there is no " + quoted(into.key) + " with the name, id or position " + quoted(child.key));
    } else if (!target) {
      into.children.push_back(std::move(child));
    } else if (is_open_table(child) && (target->kind == NodeKind::Table || target->kind == NodeKind::Array)) {
      overlay(*target, std::move(child), diagnostics);
    } else {
      place(*target, std::move(child));
    }
  }
}

/// The node at the end of a path of single tables.
Node& leaf_of(Node& root) {
  Node* node = &root;
  while (is_open_table(*node) && node->children.size() == 1) node = &node->children[0];
  return *node;
}

/// `key = rest` where the rest is not TOML: it is a text, as it stands.
bool parse_bare_override(const ConfigFiles& files, uint32_t index, size_t value_at, Node& tree, Diagnostics& diagnostics) {
  ConfigFiles key_only = files;
  key_only[index].text = key_only[index].text.substr(0, value_at) + "0";
  if (!parse_toml(key_only, index, tree, diagnostics)) return false;
  Node& leaf = leaf_of(tree);
  std::string_view value = std::string_view(files[index].text).substr(value_at);
  size_t spaces = std::min(value.find_first_not_of(" \t"), value.size());
  value.remove_prefix(spaces);
  value_at += spaces;
  leaf.kind = NodeKind::String;
  leaf.text.value = std::string(value);
  leaf.at = {index, 1, static_cast<uint32_t>(character_count(std::string_view(files[index].text).substr(0, value_at))) + 1};
  leaf.length = std::max<uint32_t>(1, static_cast<uint32_t>(character_count(value)));
  leaf.text.at = leaf.at;
  return true;
}

}  // namespace

void merge_file(Node& into, Node from, const ConfigFiles& files, Diagnostics& diagnostics) {
  for (Node& child : from.children) {
    Node* present = into.find(child.key);
    if (!present) {
      into.children.push_back(std::move(child));
    } else if (is_open_table(*present) && is_open_table(child)) {
      merge_file(*present, std::move(child), files, diagnostics);
    } else if (is_open_array(*present) && is_open_array(child)) {
      std::move(child.children.begin(), child.children.end(), std::back_inserter(present->children));
    } else {
      diagnostics.error(
          child.key_at, child.key_length, quoted(child.key) + " is set twice",
          "it already stands at " + files[present->key_at.file].name + ":" + std::to_string(present->key_at.line));
    }
  }
}

void apply_override(Node& into, const ConfigFiles& files, uint32_t index, Diagnostics& diagnostics) {
  const std::string& text = files[index].text;
  size_t value_at = value_begin(text);
  bool one_line = text.find_first_of(std::string("\n\r\0", 3)) == std::string::npos;
  Node tree;
  Diagnostics ignored;
  if (value_at != std::string_view::npos && one_line && utf8_valid(text)) {
    if (!parse_toml(files, index, tree, ignored) && !parse_bare_override(files, index, value_at, tree, diagnostics)) return;
    // A comment or a header is TOML, too, but sets nothing.
    if (!is_open_table(leaf_of(tree))) return overlay(into, std::move(tree), diagnostics);
  }
  diagnostics.error({index, 1, 1}, character_count(text), "an override is KEY=VALUE on one line",
                    "for example: --set agent.log_level=debug");
}

}  // namespace weir
