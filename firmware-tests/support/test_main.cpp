// The main of every test program.
#include "agent/operators/steps.h"
#include "storage/sqlite_memory.h"

#include <CppUTest/CommandLineTestRunner.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>
#include <CppUTest/TestHarness.h>

int main(int argument_count, char** arguments) {
  // The leak detector's own bookkeeping is not thread-safe; leaks are looked for by the sanitizer build.
  weir::register_built_in_steps();
  weir::install_sqlite_memory();
  MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
  return CommandLineTestRunner::RunAllTests(argument_count, arguments);
}
