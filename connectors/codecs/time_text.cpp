#include "connectors/codecs/time_text.h"

#include <cmath>

namespace weir {
namespace {

constexpr TimeReading out_of_range{0, "a time within 64 bits of milliseconds"};
constexpr TimeReading no_rfc3339{0, "an RFC 3339 time such as 2025-07-31T10:20:00Z"};
constexpr TimeReading no_offset{0,
                                "a time with an offset such as Z or +02:00 at its end (a local time without one is ambiguous)"};
constexpr TimeReading no_local{0, "a local time such as 2025-07-31T10:20:00, without an offset"};
constexpr TimeReading no_such_date{0, "a date and time that exist"};

constexpr double two_to_53 = 9007199254740992.0;
constexpr double two_to_63 = 9223372036854775808.0;
constexpr int64_t day_ms = 86'400'000;

int64_t floor_divide(int64_t value, int64_t divisor) {
  int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

TimeReading seconds_from_float(double seconds) {
  double microseconds = seconds * 1e6;
  if (std::fabs(microseconds) < two_to_53) {
    return {floor_divide(std::llround(microseconds), 1000)};
  }
  double milliseconds = std::floor(seconds * 1e3);
  if (!(milliseconds >= -two_to_63 && milliseconds < two_to_63)) return out_of_range;
  return {static_cast<int64_t>(milliseconds)};
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar. The year begins in March, so that the leap day is its
/// last day, and years are grouped in eras of 400.
int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  int64_t era = floor_divide(year, 400);
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int64_t days_in_month(int64_t year, int64_t month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Takes fixed-width pieces from the front of a text; after the first that does not fit, ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  int64_t digits(size_t count) {
    int64_t number = 0;
    for (size_t index = 0; index < count; ++index) {
      if (!at_digit()) {
        ok_ = false;
        return 0;
      }
      number = number * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return number;
  }
  /// Consumes one character if it is one of `set`.
  bool skip(std::string_view set) {
    if (text_.empty() || set.find(text_[0]) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  void require(std::string_view set) {
    if (!skip(set)) ok_ = false;
  }
  bool at_digit() const { return !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; }
  char front() const { return text_.empty() ? '\0' : text_[0]; }
  bool at_end() const { return text_.empty(); }
  bool ok() const { return ok_; }
  void fail() { ok_ = false; }

 private:
  std::string_view text_;
  bool ok_ = true;
};

/// The fraction after the point, cut to milliseconds.
int64_t scan_fraction_ms(Scanner& scanner) {
  int64_t fraction_ms = 0;
  int digits = 0;
  for (; scanner.at_digit(); ++digits) {
    int64_t digit = scanner.digits(1);
    if (digits < 3) fraction_ms = fraction_ms * 10 + digit;
  }
  if (digits == 0 || digits > 9) scanner.fail();
  for (; digits < 3; ++digits) fraction_ms *= 10;
  return fraction_ms;
}

/// A date and a time of day as they are written, whatever the clock that they are of.
struct WrittenTime {
  int64_t year = 0, month = 0, day = 0;
  int64_t hour = 0, minute = 0, second = 0, fraction_ms = 0;
};

WrittenTime scan_written(Scanner& scanner) {
  WrittenTime written;
  written.year = scanner.digits(4);
  scanner.require("-");
  written.month = scanner.digits(2);
  scanner.require("-");
  written.day = scanner.digits(2);
  scanner.require("Tt ");
  written.hour = scanner.digits(2);
  scanner.require(":");
  written.minute = scanner.digits(2);
  scanner.require(":");
  written.second = scanner.digits(2);
  written.fraction_ms = scanner.skip(".") ? scan_fraction_ms(scanner) : 0;
  return written;
}

bool is_leap_second(const WrittenTime& written) { return written.second == 60; }

/// A leap second may, as far as the time of day says.
bool exists(const WrittenTime& written) {
  return written.month >= 1 && written.month <= 12 && written.day >= 1 &&
         written.day <= days_in_month(written.year, written.month) && written.hour <= 23 && written.minute <= 59 &&
         written.second <= 60;
}

/// Counted as if it were UTC; a leap second is the last millisecond before it. Requires that it exists.
int64_t wall_ms(const WrittenTime& written) {
  const int64_t midnight_ms = days_since_epoch(written.year, written.month, written.day) * day_ms;
  const int64_t minute_ms = (written.hour * 60 + written.minute) * 60'000;
  return midnight_ms + minute_ms + (is_leap_second(written) ? 59'999 : written.second * 1000 + written.fraction_ms);
}

}  // namespace

TimeReading time_from_int(TimeFormat format, int64_t count) {
  int64_t epoch_ms = 0;
  switch (format) {
    case TimeFormat::Seconds:
      return __builtin_mul_overflow(count, int64_t{1000}, &epoch_ms) ? out_of_range : TimeReading{epoch_ms};
    case TimeFormat::Microseconds:
      return {floor_divide(count, 1000)};
    case TimeFormat::Nanoseconds:
      return {floor_divide(count, 1'000'000)};
    case TimeFormat::Milliseconds:
    case TimeFormat::Rfc3339:
    case TimeFormat::Local:
      break;
  }
  return {count};
}

TimeReading time_from_float(TimeFormat format, double count) {
  if (format == TimeFormat::Seconds) return seconds_from_float(count);
  double whole = std::floor(count);
  if (!(whole >= -two_to_63 && whole < two_to_63)) return out_of_range;
  return time_from_int(format, static_cast<int64_t>(whole));
}

TimeReading time_from_rfc3339(std::string_view text) {
  Scanner scanner(text);
  const WrittenTime written = scan_written(scanner);
  if (!scanner.ok()) return no_rfc3339;
  if (scanner.at_end()) return no_offset;

  int64_t offset_minutes = 0;
  if (!scanner.skip("Zz")) {
    bool behind = scanner.front() == '-';
    scanner.require("+-");
    int64_t offset_hour = scanner.digits(2);
    scanner.require(":");
    int64_t offset_minute = scanner.digits(2);
    if (offset_hour > 23 || offset_minute > 59) return no_such_date;
    offset_minutes = (offset_hour * 60 + offset_minute) * (behind ? -1 : 1);
  }
  if (!scanner.ok() || !scanner.at_end()) return no_rfc3339;
  if (!exists(written)) return no_such_date;
  const int64_t epoch_ms = wall_ms(written) - offset_minutes * 60'000;
  if (is_leap_second(written) && floor_divide(epoch_ms, day_ms) * day_ms + day_ms - 1 != epoch_ms) return no_such_date;
  return {epoch_ms};
}

TimeReading time_from_local(std::string_view text, const TimeZone& zone) {
  Scanner scanner(text);
  const WrittenTime written = scan_written(scanner);
  if (!scanner.ok() || !scanner.at_end()) return no_local;
  if (!exists(written) || is_leap_second(written)) return no_such_date;
  return {zone.utc_of_local(wall_ms(written))};
}

}  // namespace weir
