// weir-state-golden DIRECTORY writes weir.db and expected.txt of a golden state; see firmware-tests/support/state_golden.h. For
// a new format only: what a released one has written stays as it is.
#include <cstdio>

#include "agent/operators/steps.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/state_golden.h"
#include "firmware-tests/support/temporary_directory.h"

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: weir-state-golden DIRECTORY\n");
    return 64;
  }
  const std::string directory = arguments[1];
  if (!weir::read_whole_file(directory + "/weir.db").empty()) {
    fprintf(stderr, "%s/weir.db is there already: what a format has written is not written again\n", directory.c_str());
    return 1;
  }
  weir::register_built_in_steps();
  const weir::TemporaryDirectory made;
  weir::Status status = weir::test::write_state_golden(directory, made.file("state"));
  if (status.ok())
    status = weir::write_whole_file(directory + "/weir.db", weir::read_whole_file(made.file("state") + "/weir.db"));
  if (status.ok())
    status = weir::write_whole_file(directory + "/expected.txt", weir::test::state_golden_text(directory, made.file("state")));
  if (!status.ok()) fprintf(stderr, "%s\n", status.text());
  return status.ok() ? 0 : 1;
}
