// What the rows of [pipeline.step.window] cannot say: a window has exactly one kind, and which options go with which kind.
#include <algorithm>

#include "agent/config/checks.h"
#include "agent/config/diagnostics.h"
#include "agent/config/toml_document.h"

namespace weir {
namespace {

struct WindowKind {
  const char* key;
  std::span<const char* const> options;  // that go with it
};

constexpr const char* tumbling_options[] = {"offset"};

constexpr WindowKind window_kinds[] = {
    {"tumbling", tumbling_options},
};

bool names_a_kind(const Node& node) {
  return std::ranges::find(window_kinds, node.key, &WindowKind::key) != std::end(window_kinds);
}

bool goes_with(const WindowKind& kind, const std::string& key) {
  return std::ranges::find(kind.options, key) != kind.options.end();
}

/// "tumbling and hopping windows": whose option it is; empty if it is nobody's.
std::string owners_of(const std::string& key) {
  std::vector<std::string> owners;
  for (const WindowKind& kind : window_kinds)
    if (goes_with(kind, key)) owners.push_back(kind.key);
  std::string text;
  for (size_t index = 0; index < owners.size(); ++index)
    text += (index == 0 ? "" : index + 1 == owners.size() ? " and " : ", ") + owners[index];
  return text;
}

/// The only kind that is written, or nullptr.
const Node* single_kind(const Node& window, CheckContext& context) {
  const Node* first = nullptr;
  for (const Node& child : window.children) {
    if (!names_a_kind(child)) continue;
    if (first != nullptr) {
      context.diagnostics.error(child.key_at, child.key_length,
                                "a window has one kind, and this one is " + quoted(first->key) + " already",
                                "another kind of window is a [[pipeline.step]] of its own");
      return nullptr;
    }
    first = &child;
  }
  const bool all_known = std::ranges::all_of(window.children, [](const Node& child) { return !owners_of(child.key).empty(); });
  // A misspelt kind is reported as an unknown key.
  if (first == nullptr && all_known)
    context.diagnostics.error(window.at, window.length, "the window has no kind",
                              "for example: window = { tumbling = \"1min\" }");
  return first;
}

void check_options(const Node& window, const WindowKind& kind, CheckContext& context) {
  for (const Node& child : window.children) {
    const std::string owners = owners_of(child.key);
    if (owners.empty() || goes_with(kind, child.key)) continue;
    context.diagnostics.error(child.key_at, child.key_length, quoted(child.key) + " does not go with " + quoted(kind.key),
                              "it belongs to windows that are " + owners);
  }
}

}  // namespace

void check_window(const Node& node, void* section, CheckContext& context) {
  const Node* kind = single_kind(node, context);
  if (kind == nullptr) return;
  check_options(node, *std::ranges::find(window_kinds, kind->key, &WindowKind::key), context);
  const WindowOptions& window = *static_cast<WindowOptions*>(section);
  const Node* offset = node.find("offset");
  if (offset && window.tumbling > 0 && window.offset >= window.tumbling)
    context.diagnostics.error(offset->at, offset->length, "\"offset\" must be shorter than the window");
}

}  // namespace weir
