#include "firmware-tests/crash/torture_verdict.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>

namespace weir {
namespace {

constexpr size_t findings_max = 20;

struct Result {
  WindowId window;
  WindowContent content;
  std::string id;  // from the payload
};

std::optional<Result> read_result(const ReceivedMessage& message) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const std::string prefix = std::string(torture_results) + "/";
  const size_t key_at = message.topic.rfind('/');
  if (!message.topic.starts_with(prefix) || parser.parse(message.payload).get(root) != simdjson::SUCCESS) return std::nullopt;
  Result result;
  int64_t start_ms = 0;
  const bool read = root["n"].get(result.content.count) == simdjson::SUCCESS &&
                    root["total"].get(result.content.total) == simdjson::SUCCESS &&
                    root["low"].get(result.content.low) == simdjson::SUCCESS &&
                    root["high"].get(result.content.high) == simdjson::SUCCESS &&
                    root["window_start"].get(start_ms) == simdjson::SUCCESS;
  std::string_view id;
  if (!read || root["id"].get(id) != simdjson::SUCCESS) return std::nullopt;
  result.id = id;
  result.window = {message.topic.substr(prefix.size(), key_at - prefix.size()), message.topic.substr(key_at + 1), start_ms};
  return result;
}

std::string text_of(const WindowId& window) {
  return std::get<0>(window) + "/" + std::get<1>(window) + " @" + std::to_string(std::get<2>(window));
}

std::string text_of(const WindowContent& content) {
  return "count " + std::to_string(content.count) + " sum " + std::to_string(content.total) + " min " +
         std::to_string(content.low) + " max " + std::to_string(content.high);
}

/// Goes through the results in the order of arrival and sorts out repeats and wrong ids.
class Reader {
 public:
  Reader(bool ids_are_properties, Verdict& verdict) : ids_are_properties_(ids_are_properties), verdict_(verdict) {}

  void read(const ReceivedMessage& message) {
    const std::optional<Result> result = read_result(message);
    if (!result) return complain(verdict_.wrong_content, "not a result: " + message.topic + " " + message.payload);
    if (result->id.empty() || message.weir_id != (ids_are_properties_ ? result->id : "")) {
      return complain(verdict_.wrong_ids, text_of(result->window) + " has the id \"" + result->id + "\" in the payload, \"" +
                                              message.weir_id + "\" as a property");
    }
    const auto [named, is_new_id] = window_of_id_.try_emplace(result->id, result->window);
    if (!is_new_id && named->second != result->window) {
      return complain(verdict_.wrong_ids, text_of(result->window) + " bears the id of " + text_of(named->second));
    }
    const auto [first, is_new_window] = first_.try_emplace(result->window, First{result->id, message.payload, result->content});
    if (is_new_window) return;
    if (first->second.id == result->id && first->second.payload == message.payload) {
      ++verdict_.repeats;
      return;
    }
    // A second, different result of the same window: whoever adds results up counts its messages again.
    verdict_.duplicated += result->content.count;
    complain(first->second.id == result->id ? verdict_.wrong_content : verdict_.wrong_ids,
             text_of(result->window) + " came twice, differently: " + first->second.payload + " and " + message.payload);
  }

  void note(const std::string& finding) {
    if (verdict_.findings.size() < findings_max) verdict_.findings.push_back(finding);
  }

  struct First {
    std::string id;
    std::string payload;
    WindowContent content;
  };
  const std::map<WindowId, First>& first() const { return first_; }

 private:
  void complain(uint64_t& counter, const std::string& finding) {
    ++counter;
    note(finding);
  }

  bool ids_are_properties_;
  Verdict& verdict_;
  std::map<std::string, WindowId> window_of_id_;
  std::map<WindowId, First> first_;
};

}  // namespace

void WindowContent::add(int64_t value) {
  low = count == 0 ? value : std::min(low, value);
  high = count == 0 ? value : std::max(high, value);
  total += value;
  ++count;
}

void Account::expect(const TortureMessage& message) {
  if (message.filtered) {
    ++filtered_[message.pipeline];
    return;
  }
  ++passing_[message.pipeline];
  expected_[{message.pipeline, message.key, message.window_start}].add(message.value);
}

uint64_t Account::filtered(const std::string& pipeline) const {
  const auto found = filtered_.find(pipeline);
  return found == filtered_.end() ? 0 : found->second;
}

uint64_t Account::passing(const std::string& pipeline) const {
  const auto found = passing_.find(pipeline);
  return found == passing_.end() ? 0 : found->second;
}

Verdict Account::judge(const std::vector<ReceivedMessage>& results) const {
  Verdict verdict;
  Reader reader(ids_are_properties_, verdict);
  for (const ReceivedMessage& message : results) reader.read(message);
  for (const auto& [window, first] : reader.first()) {
    verdict.applied += first.content.count;
    if (expected_.contains(window)) continue;
    verdict.duplicated += first.content.count;
    reader.note(text_of(window) + " should not be there");
  }
  for (const auto& [window, expected] : expected_) {
    const auto found = reader.first().find(window);
    const WindowContent content = found == reader.first().end() ? WindowContent() : found->second.content;
    if (content == expected) continue;
    if (content.count < expected.count) verdict.lost += expected.count - content.count;
    if (content.count > expected.count) verdict.duplicated += content.count - expected.count;
    if (content.count == expected.count) ++verdict.wrong_content;
    reader.note(text_of(window) + ": expected " + text_of(expected) + ", came " + text_of(content));
  }
  return verdict;
}

}  // namespace weir
