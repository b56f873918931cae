// weir-state-golden DIRECTORY writes weir.db and expected.txt of a golden state; see firmware-tests/support/state_golden.h. For
// a new format only: what a released one has written stays as it is. With --check it compares instead: on a machine of another
// architecture the same must come out.
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "agent/operators/steps.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/state_golden.h"
#include "firmware-tests/support/temporary_directory.h"

namespace {

using namespace weir;

int check(const std::string& directory) {
  const TemporaryDirectory made;
  std::error_code error;
  std::filesystem::create_directory(made.file("state"), error);
  const Status copied = write_whole_file(made.file("state") + "/weir.db", read_whole_file(directory + "/weir.db"));
  const std::string expected = read_whole_file(directory + "/expected.txt");
  if (copied.ok() && !expected.empty() && test::state_golden_text(directory, made.file("state")) == expected) return 0;
  fprintf(stderr, "%s: this is not what it holds and yields\n", directory.c_str());
  return 1;
}

int write(const std::string& directory) {
  if (!read_whole_file(directory + "/weir.db").empty()) {
    fprintf(stderr, "%s/weir.db is there already: what a format has written is not written again\n", directory.c_str());
    return 1;
  }
  const TemporaryDirectory made;
  Status status = test::write_state_golden(directory, made.file("state"));
  if (status.ok()) status = write_whole_file(directory + "/weir.db", read_whole_file(made.file("state") + "/weir.db"));
  if (status.ok())
    status = write_whole_file(directory + "/expected.txt", test::state_golden_text(directory, made.file("state")));
  if (!status.ok()) fprintf(stderr, "%s\n", status.text());
  return status.ok() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const bool checks = count == 3 && strcmp(arguments[1], "--check") == 0;
  if (count != 2 && !checks) {
    fprintf(stderr, "usage: weir-state-golden [--check] DIRECTORY\n");
    return 64;
  }
  weir::register_built_in_steps();
  return checks ? check(arguments[2]) : write(arguments[1]);
}
