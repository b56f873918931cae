#include "agent/status/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int64_t patience_ms = 2000;
constexpr int callers_waiting_max = 16;

}  // namespace

ControlServer::ControlServer(Arena& arena, size_t answer_bytes_max)
    : line_(arena.take<char>(line_max, "control", "one command and one answer at a time")),
      answer_bytes_(arena.take<char>(answer_bytes_max, "control", "")) {}

ControlServer::~ControlServer() { stop(); }

Status ControlServer::start(Poller& poller, const std::string& path, ControlHandler& handler) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return {Code::InvalidArgument, "the control socket's path is too long; use a shorter state_dir"};
  memcpy(address.sun_path, path.c_str(), path.size());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) return {Code::Io, "cannot create the control socket", errno};
  unlink(path.c_str());
  mode_t previous = umask(0177);
  int bound = bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  int bind_errno = errno;
  umask(previous);
  if (bound != 0) return {Code::Io, "cannot bind the control socket", bind_errno};
  path_ = path;
  if (listen(listener_, callers_waiting_max) != 0) return {Code::Io, "cannot listen on the control socket", errno};
  poller_ = &poller;
  handler_ = &handler;
  return poller.watch(listener_, poll_in, *this);
}

void ControlServer::stop() {
  if (listener_ < 0) return;
  if (caller_ >= 0) hang_up();
  if (poller_ != nullptr) poller_->forget(listener_);
  close(listener_);
  listener_ = -1;
  if (!path_.empty()) unlink(path_.c_str());
}

void ControlServer::on_ready(uint32_t, Now now) {
  // Both descriptors come here; what is due follows from the state.
  if (state_ == State::Idle) {
    accept_caller(now);
  } else if (state_ == State::Reading) {
    read_line(now);
  } else if (state_ == State::Waiting) {
    // Only errors and hang-ups are watched for: the caller has gone before its answer, which must still be given.
    poller_->forget(caller_);
    caller_gone_ = true;
  } else {
    write_answer();
  }
}

void ControlServer::accept_caller(Now now) {
  caller_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (caller_ < 0) return;
  line_size_ = 0;
  caller_gone_ = false;
  since_boot_ms_ = now.boot_ms;
  if (Status status = poller_->watch(caller_, poll_in, *this); !status.ok()) {
    close(caller_);
    caller_ = -1;
    return;
  }
  // Others wait in the kernel's queue until this one is served.
  poller_->rearm(listener_, 0, *this);
  state_ = State::Reading;
}

void ControlServer::read_line(Now now) {
  ssize_t count = read(caller_, line_.data() + line_size_, line_.size() - line_size_);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return hang_up();
  line_size_ += static_cast<size_t>(count);
  std::string_view line(line_.data(), line_size_);
  size_t end = line.find('\n');
  if (end == std::string_view::npos) {
    if (line_size_ == line_.size()) hang_up();
    return;
  }
  answer_ = TextWriter(answer_bytes_);
  written_ = 0;
  state_ = State::Waiting;
  poller_->rearm(caller_, 0, *this);
  if (handler_->on_command(line.substr(0, end), answer_, now) == ControlHandler::Answer::Now) answer(now);
}

void ControlServer::answer(Now now) {
  WEIR_ASSERT(state_ == State::Waiting);
  since_boot_ms_ = now.boot_ms;
  state_ = State::Writing;
  if (caller_gone_) return hang_up();
  poller_->rearm(caller_, poll_out, *this);
  write_answer();
}

void ControlServer::write_answer() {
  std::string_view text = answer_.text().substr(written_);
  ssize_t count = send(caller_, text.data(), text.size(), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) return hang_up();
  written_ += static_cast<size_t>(count);
  if (written_ == answer_.size()) hang_up();
}

void ControlServer::hang_up() {
  if (!caller_gone_) poller_->forget(caller_);
  close(caller_);
  caller_ = -1;
  state_ = State::Idle;
  poller_->rearm(listener_, poll_in, *this);
}

void ControlServer::on_tick(Now now) {
  bool theirs = state_ == State::Reading || state_ == State::Writing;
  if (theirs && now.boot_ms - since_boot_ms_ > patience_ms) hang_up();
}

}  // namespace weir
