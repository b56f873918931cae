// Linked into an agent of its own for tests, in place of the C library's fsync and fdatasync: while the file that
// WEIR_FAIL_SYNC names exists, each sync of the database fails with EIO, as on a card that is about to die, and adds a byte to
// that file. So the test can tell how often the agent has tried.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "firmware-tests/faults/database_descriptor.h"

namespace {

bool fails(int descriptor) {
  const char* trigger = getenv("WEIR_FAIL_SYNC");
  if (trigger == nullptr || access(trigger, F_OK) != 0 || !weir::test::is_database(descriptor)) return false;
  const int tries = open(trigger, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (tries >= 0) {
    if (write(tries, "x", 1) != 1) perror(trigger);
    close(tries);
  }
  errno = EIO;
  return true;
}

}  // namespace

extern "C" int fsync(int descriptor) { return fails(descriptor) ? -1 : static_cast<int>(syscall(SYS_fsync, descriptor)); }
extern "C" int fdatasync(int descriptor) {
  return fails(descriptor) ? -1 : static_cast<int>(syscall(SYS_fdatasync, descriptor));
}
