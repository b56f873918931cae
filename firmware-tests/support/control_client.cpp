#include "firmware-tests/support/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

int connect_to(const std::string& path, int64_t deadline_ms) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  timeval timeout{};
  timeout.tv_sec = deadline_ms / 1000;
  timeout.tv_usec = static_cast<decltype(timeout.tv_usec)>((deadline_ms % 1000) * 1000);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

/// The peer's whole answer; empty if it was cut off by an error or the deadline.
std::string read_to_end(int fd) {
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return {};
    text.append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace

Result<std::string> ask_agent(const std::string& socket_path, std::string_view line, int64_t deadline_ms) {
  const int fd = connect_to(socket_path, deadline_ms);
  if (fd < 0) return Status{Code::Unavailable, "no agent answers", errno};
  const std::string question = std::string(line) + "\n";
  std::string answer;
  if (send(fd, question.data(), question.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(question.size()))
    answer = read_to_end(fd);
  close(fd);
  if (answer.empty()) return Status{Code::Unavailable, "the agent gave no answer"};
  return answer;
}

}  // namespace weir
