#include "firmware-tests/support/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "firmware-tests/support/wait.h"

namespace weir {

NotifySocket::NotifySocket(std::string path) : path_(std::move(path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return;
  memcpy(address.sun_path, path_.data(), path_.size());
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
  close(fd_);
  fd_ = -1;
}

NotifySocket::~NotifySocket() {
  if (fd_ >= 0) close(fd_);
  unlink(path_.c_str());
}

bool NotifySocket::take(int64_t wait_ms) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(std::max<int64_t>(wait_ms, 0))) <= 0) return false;
  char text[512];
  const ssize_t length = recv(fd_, text, sizeof text, 0);
  if (length <= 0) return false;
  messages_.push_back({std::string(text, static_cast<size_t>(length)), monotonic_ms()});
  return true;
}

bool NotifySocket::wait_for(const std::string& text, int64_t deadline_ms, size_t since) {
  const int64_t end_ms = monotonic_ms() + deadline_ms * patience();
  while (count(text, since) == 0 && monotonic_ms() < end_ms) take(end_ms - monotonic_ms());
  return count(text, since) > 0;
}

void NotifySocket::listen(int64_t duration_ms) {
  const int64_t end_ms = monotonic_ms() + duration_ms;
  while (monotonic_ms() < end_ms) take(end_ms - monotonic_ms());
}

size_t NotifySocket::count(const std::string& text, size_t since) const {
  return static_cast<size_t>(std::count_if(messages_.begin() + static_cast<std::ptrdiff_t>(std::min(since, messages_.size())),
                                           messages_.end(),
                                           [&](const Message& message) { return message.text.starts_with(text); }));
}

}  // namespace weir
