#include "examples/demo/screen.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace weir {
namespace {

constexpr const char* plain = "";
constexpr const char* bold = "\033[1m";
constexpr const char* dim = "\033[2m";
constexpr const char* red = "\033[1;31m";
constexpr const char* green = "\033[1;32m";
constexpr const char* yellow = "\033[33m";
constexpr size_t alerts_shown = 4;

std::string clock_text(int64_t time_ms) {
  const time_t seconds = time_ms / 1000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  strftime(text, sizeof text, "%H:%M", &parts);
  return text;
}

}  // namespace

std::string text_of(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

Screen::Screen() : coloured_(isatty(STDOUT_FILENO) == 1) { setvbuf(stdout, nullptr, _IOLBF, 0); }

bool Screen::open() const { return ferror(stdout) == 0; }

void Screen::line(const char* colour, const std::string& text) {
  const bool colours = coloured_ && colour[0] != '\0';
  printf("%s%s%s\n", colours ? colour : "", text.c_str(), colours ? "\033[0m" : "");
}

void Screen::title(const std::string& text) { line(bold, text); }

void Screen::note(const std::string& label, const std::string& text) {
  line(plain, text_of("  %-10s %s", label.c_str(), text.c_str()));
}

void Screen::warn(const std::string& label, const std::string& text) {
  line(red, text_of("  %-10s %s", label.c_str(), text.c_str()));
}

void Screen::account(int64_t elapsed_ms, const ObservedPipeline& pipeline) {
  const Ledger& ledger = pipeline.ledger;
  std::string text = text_of("%6.1f s    received %" PRIu64 " = applied %" PRIu64 " + filtered %" PRIu64 " + late %" PRIu64
                             " + refused %" PRIu64 " + duplicates %" PRIu64,
                             static_cast<double>(elapsed_ms) / 1000, ledger.received, ledger.applied, ledger.filtered,
                             ledger.late, ledger.dead_lettered, ledger.duplicate);
  if (pipeline.checkpoint.last_id != 0) text += text_of(" | checkpoint %" PRIu64, pipeline.checkpoint.last_id);
  if (pipeline.checkpoint.completed != 0)
    text += text_of(" (%s, %.0f ms)", pipeline.checkpoint.last_reason.c_str(), pipeline.checkpoint.last_duration_ms);
  line(dim, text);
}

void Screen::alerts(const std::vector<Alert>& alerts) {
  for (size_t index = 0; index < std::min(alerts.size(), alerts_shown); ++index) {
    const Alert& alert = alerts[index];
    const std::string minute =
        clock_text(alert.window_start_ms) + "-" + clock_text(alert.window_start_ms + Reference::window_ms);
    line(yellow, text_of("  alert      %s  %-10s maximum %5.1f  mean %5.1f  of %2" PRIu64 " readings", minute.c_str(),
                         alert.device.c_str(), alert.max_temperature, alert.mean_temperature, alert.readings));
  }
  if (alerts.size() > alerts_shown) line(yellow, text_of("  alert      and %zu more", alerts.size() - alerts_shown));
}

void Screen::comparison_title() { line(bold, text_of("  %-18s %10s %10s", "", "sensors", "weir")); }

bool Screen::compare(const char* what, uint64_t expected, uint64_t found, const std::string& remark) {
  const bool equal = expected == found;
  line(equal ? plain : red,
       text_of("  %-18s %10" PRIu64 " %10" PRIu64 "  %s%s", what, expected, found, equal ? "" : "DIFFERENT ", remark.c_str()));
  return equal;
}

void Screen::verdict(bool good, const std::string& text) { line(good ? green : red, text); }

}  // namespace weir
