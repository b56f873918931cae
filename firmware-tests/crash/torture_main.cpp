// weir-torture: kills an agent again and again under load, then accounts for every message. See --help.
#include <csignal>
#include <cstdio>

#include "firmware-tests/crash/torture_run.h"

int main(int count, char** arguments) {
  int exit_code = 0;
  const auto options = weir::parse_torture_options(count, arguments, exit_code);
  if (!options) return exit_code;
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  weir::Torture torture(*options);
  return torture.run();
}
