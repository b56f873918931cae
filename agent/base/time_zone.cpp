#include "agent/base/time_zone.h"

#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "agent/base/time_zone_name.h"

namespace weir {
namespace {

constexpr int64_t second_ms = 1000;
constexpr int64_t table_end_s = 4'133'980'800;  // 2101-01-01 UTC
/// Looking every so often finds every change: the shortest daylight saving time there ever was, or is foretold, lasts seven
/// days less an hour (Recife in 2000, Gaza).
constexpr int64_t probe_step_s = int64_t{3} * 24 * 3600;

int64_t add_saturating(int64_t left, int64_t right) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(left, right, &sum)) return sum;
  return left < 0 ? INT64_MIN : INT64_MAX;
}

std::string zone_folder() {
  const char* given = getenv("TZDIR");
  return given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
}

bool has_zone_folder() {
  struct stat entry {};
  return stat(zone_folder().c_str(), &entry) == 0 && S_ISDIR(entry.st_mode);
}

/// Names go down into the folder only. "right/..." counts leap seconds, as no other clock does.
bool may_be_iana_name(const std::string& name) {
  constexpr std::string_view others = "_+-/";
  const bool letters = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  });
  return letters && !name.empty() && !name.starts_with('/') && !name.starts_with("right/");
}

bool has_zone_file(const std::string& name) {
  FILE* file = fopen((zone_folder() + "/" + name).c_str(), "rbe");
  if (file == nullptr) return false;
  std::array<char, 4> magic{};
  const bool complete = fread(magic.data(), magic.size(), 1, file) == 1;
  (void)fclose(file);
  return complete && std::string_view(magic.data(), magic.size()) == "TZif";
}

/// The C library's time zone, set for the life of this object.
class BorrowedZone {
 public:
  explicit BorrowedZone(const std::string& name) {
    if (const char* before = getenv("TZ"); before != nullptr) before_ = before;
    set(name.c_str());
  }
  ~BorrowedZone() {
    if (before_) {
      set(before_->c_str());
      return;
    }
    unsetenv("TZ");
    tzset();
  }
  BorrowedZone(const BorrowedZone&) = delete;
  BorrowedZone& operator=(const BorrowedZone&) = delete;

  int64_t offset_s(int64_t utc_s) const {
    const time_t instant = utc_s;
    tm local{};
    const bool converted = localtime_r(&instant, &local) != nullptr;
    WEIR_ASSERT(converted);
    return local.tm_gmtoff;
  }

  /// The first second after `low` with another offset than there; `high` has another one.
  int64_t change_between(int64_t low, int64_t high) const {
    const int64_t before = offset_s(low);
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (offset_s(middle) == before ? low : high) = middle;
    }
    return high;
  }

 private:
  static void set(const char* name) {
    const bool done = setenv("TZ", name, 1) == 0;
    WEIR_ASSERT(done);
    tzset();
  }

  std::optional<std::string> before_;
};

static_assert(sizeof(time_t) == 8, "the table goes on after 2038");

}  // namespace

TimeZone::TimeZone() : spans_{{INT64_MIN, 0}} {}

[[gnu::cold]] Result<TimeZone> TimeZone::load(const std::string& name) {
  TimeZone zone;
  if (name == zone.name_) return zone;
  zone.name_ = name;
  if (std::optional<int64_t> offset = fixed_offset_ms(name)) {
    zone.spans_.front().offset_ms = *offset;
    return zone;
  }
  const bool iana = may_be_iana_name(name);
  if ((iana && has_zone_file(name)) || is_posix_zone(name)) {
    zone.read_from_library();
    return zone;
  }
  if (iana && !has_zone_folder())
    return Status(Code::NotFound, "this machine has no time zone data: install tzdata, or write an offset such as +01:00");
  return Status(
      Code::InvalidArgument,
      "no such time zone; it is an IANA name (Europe/Vienna), an offset (+05:30) or a POSIX TZ string with its rules");
}

void TimeZone::read_from_library() {
  const BorrowedZone library(name_);
  int64_t at = 0;
  spans_.front().offset_ms = library.offset_s(at) * second_ms;
  while (at < table_end_s) {
    const int64_t next = std::min(at + probe_step_s, table_end_s);
    const int64_t there = library.offset_s(next) * second_ms;
    while (there != spans_.back().offset_ms) {
      at = library.change_between(at, next);
      spans_.push_back({at * second_ms, library.offset_s(at) * second_ms});
    }
    at = next;
  }
}

size_t TimeZone::span_at(int64_t utc_ms) const {
  auto next = std::upper_bound(spans_.begin(), spans_.end(), utc_ms,
                               [](int64_t instant, const Span& span) { return instant < span.begin_utc_ms; });
  return static_cast<size_t>(next - spans_.begin()) - 1;
}

int64_t TimeZone::offset_ms(int64_t utc_ms) const { return spans_[span_at(utc_ms)].offset_ms; }

int64_t TimeZone::local_of(int64_t utc_ms) const { return add_saturating(utc_ms, offset_ms(utc_ms)); }

int64_t TimeZone::latest_local_of(int64_t utc_ms) const {
  const size_t span = span_at(utc_ms);
  const int64_t local_ms = add_saturating(utc_ms, spans_[span].offset_ms);
  return span == 0 ? local_ms : std::max(local_ms, spans_[span].begin_utc_ms + spans_[span - 1].offset_ms - 1);
}

int64_t TimeZone::utc_of_local(int64_t local_ms) const {
  // No offset is as much as two days: the span that is looked for is this one or one of the few after it.
  constexpr int64_t two_days_ms = int64_t{2} * 24 * 3600 * second_ms;
  size_t span = span_at(add_saturating(local_ms, -two_days_ms));
  while (span + 1 < spans_.size() && spans_[span + 1].begin_utc_ms + spans_[span].offset_ms <= local_ms) ++span;
  return std::max(spans_[span].begin_utc_ms, add_saturating(local_ms, -spans_[span].offset_ms));
}

}  // namespace weir
