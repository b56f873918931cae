#include "agent/app/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

Result<std::string> converse(int fd, const sockaddr_un& address, const std::string& line, int patience_seconds) {
  timeval patience{patience_seconds, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return Status(Code::NotFound, "no agent is running there", errno);
    return Status(Code::Io, "cannot connect to the agent", errno);
  }
  std::string request = line + "\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return Status(Code::Io, "cannot send to the agent", errno);
  std::string answer;
  char buffer[16384];
  while (true) {
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0) return Status(Code::Unavailable, "the agent does not answer", errno);
    if (count == 0) return answer;
    answer.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace

std::string control_path(const std::string& state_dir) { return state_dir + "/control.sock"; }

Result<std::string> ask_agent(const std::string& state_dir, const std::string& line, int patience_seconds) {
  std::string path = control_path(state_dir);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Status(Code::InvalidArgument, "the state directory's path is too long");
  memcpy(address.sun_path, path.c_str(), path.size());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Status(Code::Io, "cannot create a socket", errno);
  Result<std::string> answer = converse(fd, address, line, patience_seconds);
  close(fd);
  return answer;
}

}  // namespace weir
