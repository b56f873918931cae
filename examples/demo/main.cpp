// weir-demo: see weir work, and see it killed. `./dev run` starts it.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "examples/demo/demo.h"

namespace {

constexpr const char* help =
    "usage: weir-demo [--seconds N]\n\n"
    "Starts a private broker, simulated sensors and the agent, kills the agent half-way, starts it again and accounts for "
    "every\n"
    "message. Ends after N seconds or with Ctrl-C; the exit code is 0 only if the account balances.\n";

/// False if the text is no number of seconds that makes sense.
bool parse_seconds(std::string_view text, int64_t& seconds) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() && seconds >= 1 && seconds <= 86'400;
}

}  // namespace

int main(int count, char** arguments) {
  int64_t seconds = 0;
  for (int index = 1; index < count; ++index) {
    const std::string_view word = arguments[index];
    if (word == "--help" || word == "-h") {
      fputs(help, stdout);
      return 0;
    }
    if (word != "--seconds" || index + 1 == count || !parse_seconds(arguments[++index], seconds)) {
      fprintf(stderr, "weir-demo: error: expected --seconds N, N from 1 to 86400\n\n%s", help);
      return 64;
    }
  }
  weir::Interrupts interrupts;
  weir::Demo demo(seconds, interrupts);
  return demo.run();
}
