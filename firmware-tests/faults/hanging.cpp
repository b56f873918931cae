// Linked into an agent of its own for tests: threads that hang when a test says so. While the file that WEIR_HANG names exists,
// the reactor does not come back from waiting for events; while the one that WEIR_HANG_SYNC names exists, a sync of the
// database does not come back, as on a card that has stopped answering.
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "firmware-tests/faults/database_descriptor.h"

namespace {

/// Its name is what a test looks for in the stack.
[[gnu::noinline]] void hang_while_exists(const char* variable) {
  const char* path = getenv(variable);
  const timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
  while (path != nullptr && access(path, F_OK) == 0) nanosleep(&pause, nullptr);
}

int sync_at_last(int descriptor, long call) {
  if (weir::test::is_database(descriptor)) hang_while_exists("WEIR_HANG_SYNC");
  return static_cast<int>(syscall(call, descriptor));
}

}  // namespace

extern "C" int fsync(int descriptor) { return sync_at_last(descriptor, SYS_fsync); }
extern "C" int fdatasync(int descriptor) { return sync_at_last(descriptor, SYS_fdatasync); }
extern "C" int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  if (gettid() == getpid()) hang_while_exists("WEIR_HANG");
  return epoll_pwait(epoll, events, count, timeout, nullptr);
}
