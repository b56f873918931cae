#include "connectors/mqtt/drop_watch.h"

#include <algorithm>
#include <charconv>

namespace weir {

DropWatch::DropWatch(bool wanted, const std::vector<std::string>& filters)
    : enabled_(wanted && std::none_of(filters.begin(), filters.end(),
                                      [](const std::string& filter) { return filter.starts_with("$SYS/"); })) {}

bool DropWatch::observe(Bytes payload, int64_t boot_ms) {
  std::string_view text = as_text(payload);
  uint64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  // A smaller count is a broker that was restarted.
  bool grown = seen_ && count > count_;
  if (grown) dropped_ += count - count_;
  seen_ = true;
  count_ = count;
  if (!grown || boot_ms - reconnect_boot_ms_ < reconnect_pause_ms) return false;
  reconnect_boot_ms_ = boot_ms;
  return true;
}

}  // namespace weir
