// The account at the end: what the windows should hold, what the results say, and the difference, message by message.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "firmware-tests/crash/torture_stream.h"
#include "firmware-tests/support/mqtt_test_client.h"

namespace weir {

struct WindowContent {
  uint64_t count = 0;
  int64_t total = 0;
  int64_t low = 0;
  int64_t high = 0;

  void add(int64_t value);
  bool operator==(const WindowContent&) const = default;
};

/// Pipeline, key, start of the window in ms.
using WindowId = std::tuple<std::string, std::string, int64_t>;

struct Verdict {
  uint64_t applied = 0;               // messages that the results' windows hold
  uint64_t lost = 0;                  // missing in a window
  uint64_t duplicated = 0;            // more in a window than were published, or counted by a second result
  uint64_t wrong_ids = 0;             // results without an id, with another window's, or with two for the same window
  uint64_t wrong_content = 0;         // the count is right, the sum, the minimum or the maximum is not
  uint64_t repeats = 0;               // the same result again with the same id: allowed after a crash
  std::vector<std::string> findings;  // the first few, for people

  bool good() const { return lost == 0 && duplicated == 0 && wrong_ids == 0 && wrong_content == 0; }
};

class Account {
 public:
  /// MQTT 5 carries a result's id as a user property; 3.1.1 has none, there the payload's field is all.
  explicit Account(bool ids_are_properties) : ids_are_properties_(ids_are_properties) {}

  /// A message of which the broker has taken charge. Filtered ones are counted apart.
  void expect(const TortureMessage& message);
  uint64_t filtered(const std::string& pipeline) const;
  uint64_t passing(const std::string& pipeline) const;
  size_t windows() const { return expected_.size(); }

  Verdict judge(const std::vector<ReceivedMessage>& results) const;

 private:
  bool ids_are_properties_;
  std::map<WindowId, WindowContent> expected_;
  std::map<std::string, uint64_t> filtered_;
  std::map<std::string, uint64_t> passing_;
};

}  // namespace weir
