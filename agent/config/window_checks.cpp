// What the rows of [pipeline.step.window] cannot say: a window has exactly one kind, and which options go with which kind.
#include <algorithm>

#include "agent/config/checks.h"
#include "agent/config/diagnostics.h"
#include "agent/config/quantity.h"
#include "agent/config/toml_document.h"

namespace weir {
namespace {

struct WindowKind {
  const char* key;
  std::span<const char* const> options;  // that go with it
};

constexpr const char* tumbling_options[] = {"offset", "time_zone", "allowed_lateness", "emit_every", "empty", "late", "time"};
constexpr const char* hopping_options[] = {"every",      "offset", "time_zone", "allowed_lateness",
                                           "emit_every", "empty",  "late",      "time"};
constexpr const char* cumulate_options[] = {"every", "offset", "time_zone", "allowed_lateness", "empty", "late", "time"};

constexpr const char* session_options[] = {"max_duration", "max_sessions", "allowed_lateness", "emit_every", "late", "time"};
constexpr const char* count_options[] = {"every", "emit_partial"};
constexpr const char* state_options[] = {"close", "include_close", "max_duration", "emit_every", "late"};
constexpr const char* sliding_options[] = {"max_records", "late"};

constexpr WindowKind window_kinds[] = {
    {"tumbling", tumbling_options}, {"hopping", hopping_options}, {"cumulate", cumulate_options}, {"session", session_options},
    {"count", count_options},       {"open", state_options},      {"sliding", sliding_options},
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

/// Early results of a kind that has its own way to them; empty: as for any other option.
const char* instead_of_early(const char* kind) {
  const std::string_view name = kind;
  if (name == "cumulate") return "what a cumulation hands on each \"every\" are its early results: make \"every\" shorter";
  if (name == "count") return "\"every\" with \"emit_partial\" hands on a window before it has all its records";
  if (name == "sliding") return "a sliding window answers each record at once";
  return "";
}

void check_options(const Node& window, const WindowKind& kind, CheckContext& context) {
  for (const Node& child : window.children) {
    const std::string owners = owners_of(child.key);
    if (owners.empty() || goes_with(kind, child.key)) continue;
    const std::string instead = child.key == "emit_every" ? instead_of_early(kind.key) : "";
    context.diagnostics.error(child.key_at, child.key_length, quoted(child.key) + " does not go with " + quoted(kind.key),
                              instead.empty() ? "it belongs to windows that are " + owners : instead);
  }
}

void check_session(const Node& node, const WindowOptions& window, CheckContext& context) {
  const Node* longest = node.find("max_duration");
  if (longest && window.max_duration > 0 && window.max_duration < window.session)
    context.diagnostics.error(longest->at, longest->length, "\"max_duration\" must be at least as long as the session's gap");
}

void check_processing(const Node& node, const WindowOptions& window, CheckContext& context) {
  if (window.time != "processing") return;
  for (const char* key : {"allowed_lateness", "late"})
    if (const Node* child = node.find(key))
      context.diagnostics.error(child->key_at, child->key_length, quoted(key) + " does not go with time = \"processing\"",
                                "by this machine's clock nothing is late");
}

void check_every(const Node& node, const std::string& kind, const WindowOptions& window, CheckContext& context) {
  const Node* every = node.find("every");
  const Node& size = *node.find(kind);
  if (every == nullptr)
    return context.diagnostics.error(size.key_at, size.key_length, quoted(kind) + " needs \"every\"",
                                     "for example: window = { " + kind + " = \"1h\", every = \"1min\" }");
  if (every->kind == NodeKind::Integer)
    return context.diagnostics.error(every->at, every->length, "\"every\" of this window is a duration",
                                     "for example: every = \"1min\"");
  if (kind == "cumulate" && window.every > 0 && window.cumulate % window.every != 0)
    context.diagnostics.error(every->at, every->length,
                              "the length of a window that cumulates must be a multiple of \"every\"");
}

void check_emit_every(const Node& node, const WindowOptions& window, CheckContext& context) {
  const Node* every = node.find("emit_every");
  const int64_t size_ms = std::max(window.tumbling, window.hopping);
  if (every && size_ms > 0 && window.emit_every >= size_ms)
    context.diagnostics.error(every->at, every->length, "\"emit_every\" must be shorter than the window");
}

void check_count(const Node& node, const WindowOptions& window, CheckContext& context) {
  const Node* every = node.find("every");
  if (every == nullptr || window.count == 0) return;
  if (every->kind == NodeKind::String)
    context.diagnostics.error(every->at, every->length, "\"every\" of a count is a number of records",
                              "for example: every = 10");
  else if (every->kind == NodeKind::Integer && static_cast<uint64_t>(window.every) > window.count)
    context.diagnostics.error(every->at, every->length, "\"every\" must not be more than \"count\"");
}

void check_state(const Node& node, CheckContext& context) {
  const Node& open = *node.find("open");
  if (node.find("close") == nullptr)
    context.diagnostics.error(open.key_at, open.key_length, "\"open\" needs \"close\"",
                              "for example: window = { open = \"running\", close = \"not running\" }");
}

void check_kind(const Node& node, const std::string& kind, const WindowOptions& window, CheckContext& context) {
  check_processing(node, window, context);
  if (kind == "hopping" || kind == "cumulate") check_every(node, kind, window, context);
  if (kind == "tumbling" || kind == "hopping") check_emit_every(node, window, context);
  if (kind == "session") check_session(node, window, context);
  if (kind == "count") check_count(node, window, context);
  if (kind == "open") check_state(node, context);
}

}  // namespace

void check_window_offset(const Node& node, void* section, CheckContext& context) {
  const Quantity quantity = parse_signed_duration(node.text.value);
  static_cast<WindowOptions*>(section)->offset_ms = quantity.value;
  if (!quantity.problem.empty()) context.diagnostics.error(node.at, node.length, quantity.problem, quantity.help);
}

void check_window(const Node& node, void* section, CheckContext& context) {
  const Node* kind = single_kind(node, context);
  if (kind == nullptr) return;
  check_options(node, *std::ranges::find(window_kinds, kind->key, &WindowKind::key), context);
  const WindowOptions& window = *static_cast<WindowOptions*>(section);
  check_kind(node, kind->key, window, context);
}

}  // namespace weir
