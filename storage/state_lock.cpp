#include "storage/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

namespace weir {
namespace {

std::string lock_path(const std::string& state_dir) { return state_dir + "/weir.lock"; }

int read_pid(int descriptor) {
  char text[16];
  ssize_t size = pread(descriptor, text, sizeof text, 0);
  int pid = 0;
  if (size > 0) std::from_chars(text, text + size, pid);
  return pid > 0 ? pid : 0;
}

bool write_pid(int descriptor) {
  char text[16];
  int size = snprintf(text, sizeof text, "%d\n", static_cast<int>(getpid()));
  return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, static_cast<size_t>(size), 0) == size;
}

// A lock file that root left behind must not keep the service's own user out.
void give_to_owner_of(const std::string& state_dir, int descriptor) {
  struct stat directory;
  if (geteuid() != 0 || stat(state_dir.c_str(), &directory) != 0) return;
  if (fchown(descriptor, directory.st_uid, directory.st_gid) != 0) {
    // The lock holds all the same; who cannot open it later is told so.
  }
}

}  // namespace

Status StateLock::acquire(const std::string& state_dir) {
  WEIR_ASSERT(!held());
  int descriptor = open(lock_path(state_dir).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return {Code::Io, "cannot open the lock file of the state directory", errno};
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    Status status = error == EWOULDBLOCK ? Status(Code::Busy, "another weir holds the state directory", read_pid(descriptor))
                                         : Status(Code::Io, "cannot lock the state directory", error);
    close(descriptor);
    return status;
  }
  descriptor_ = descriptor;
  give_to_owner_of(state_dir, descriptor);
  // On a full disk the pid may not fit. The lock is what counts; the second agent then cannot name the first.
  if (!write_pid(descriptor) && errno != ENOSPC && errno != EDQUOT) {
    release();
    return {Code::Io, "cannot write the lock file of the state directory", errno};
  }
  return {};
}

void StateLock::release() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

Result<int> StateLock::holder(const std::string& state_dir) {
  int descriptor = open(lock_path(state_dir).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Status(Code::NotFound, "there is no lock file", errno);
  int pid = read_pid(descriptor);
  close(descriptor);
  if (pid == 0) return Status(Code::NotFound, "the lock file names no process");
  return pid;
}

}  // namespace weir
