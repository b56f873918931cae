#include "agent/app/supervisor.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include "agent/base/log.h"
#include "agent/runtime/service_notify.h"

namespace weir {
namespace {

/// What the child gets as it is; SIGCHLD is ours.
constexpr std::array forwarded_signals = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
constexpr int64_t idle_ms_max = 60'000;

int64_t monotonic_now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int signal : forwarded_signals) sigaddset(&set, signal);
  return set;
}

/// Of a variable that the child gets from us and not from our environment.
bool is_replaced(std::string_view variable) {
  return variable.starts_with("NOTIFY_SOCKET=") || variable.starts_with("WATCHDOG_USEC=") ||
         variable.starts_with("WATCHDOG_PID=");
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options, RestartStrategy& restarts)
    : options_(std::move(options)), rules_(options_.times, restarts) {}

Supervisor::~Supervisor() {
  if (socket_ >= 0) close(socket_);
  if (signals_ >= 0) close(signals_);
}

// ---- before the loop

Status Supervisor::open() {
  above_ = watchdog_settings(0, getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid());
  WEIR_TRY(open_socket());
  WEIR_TRY(open_signals());
  prepare_child();
  return {};
}

/// In the abstract namespace: it needs no directory and goes with the process.
Status Supervisor::open_socket() {
  snprintf(socket_name_.data(), socket_name_.size(), "@weir-supervise-%d", getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t length = strlen(socket_name_.data());
  memcpy(address.sun_path, socket_name_.data(), length);
  address.sun_path[0] = '\0';
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (socket_ < 0 || bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      setsockopt(socket_, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    return {Code::Io, "cannot open the socket for notifications", errno};
  return {};
}

Status Supervisor::open_signals() {
  const sigset_t set = handled_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) return {Code::Io, "cannot create a signal descriptor", errno};
  return {};
}

void Supervisor::prepare_child() {
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_replaced(*variable)) environment_text_.emplace_back(*variable);
  environment_text_.push_back(std::string("NOTIFY_SOCKET=") + socket_name_.data());
  if (options_.times.watchdog_ms > 0)
    environment_text_.push_back("WATCHDOG_USEC=" + std::to_string(options_.times.watchdog_ms * 1000));
  for (std::string& text : environment_text_) environment_.push_back(text.data());
  environment_.push_back(pid_text_.data());
  environment_.push_back(nullptr);
  for (std::string& word : options_.command) arguments_.push_back(word.data());
  arguments_.push_back(nullptr);
}

// ---- the loop

int Supervisor::run() {
  act();
  while (!over_) {
    wait_for_something();
    const int64_t now_ms = monotonic_now_ms();
    // What the child said before it ended comes before its end.
    take_messages(now_ms);
    take_signals(now_ms);
    reap(now_ms);
    act();
    pet(now_ms);
    tell_manager(now_ms);
  }
  rules_.orderly() ? device_.disarm() : device_.leave();
  return rules_.exit_code();
}

void Supervisor::act() {
  const int64_t now_ms = monotonic_now_ms();
  while (do_action(rules_.next(now_ms), now_ms)) {
  }
}

/// False: nothing more is to be done now.
bool Supervisor::do_action(SupervisorRules::Action action, int64_t now_ms) {
  switch (action) {
    case SupervisorRules::Action::Wait:
      return false;
    case SupervisorRules::Action::Start:
      start_child(now_ms);
      return true;
    case SupervisorRules::Action::Terminate:
      signal_child(SIGTERM, false);
      return true;
    case SupervisorRules::Action::Abort:
      log(LogLevel::Error, "ALARM: supervise: process %d is silent or not ready in time: SIGABRT", child_);
      signal_child(SIGABRT, true);
      // One that was stopped does not see a signal before it is continued.
      signal_child(SIGCONT, true);
      return true;
    case SupervisorRules::Action::Kill:
      log(LogLevel::Error, "ALARM: supervise: process %d does not end: SIGKILL", child_);
      signal_child(SIGKILL, true);
      return true;
    case SupervisorRules::Action::End:
      over_ = true;
      return false;
  }
  return false;
}

void Supervisor::start_child(int64_t now_ms) {
  const pid_t pid = fork();
  if (pid == 0) become_child();
  if (pid < 0) {
    log(LogLevel::Error, "supervise: cannot start a process: errno %d", errno);
    return rules_.on_exit({.code = 1}, now_ms);
  }
  child_ = pid;
  setpgid(pid, pid);  // also here: a signal to the group may be due before the child has come so far
  log(LogLevel::Notice, "supervise: started %s as process %d", arguments_[0], pid);
  rules_.on_started(now_ms);
}

void Supervisor::become_child() const {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const sigset_t set = handled_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_DFL);
  // This is the child's copy of the text.
  snprintf(const_cast<char*>(pid_text_.data()), pid_text_.size(), "WATCHDOG_PID=%d", getpid());
  execvpe(arguments_[0], arguments_.data(), environment_.data());
  log(LogLevel::Error, "supervise: cannot execute %s: %s", arguments_[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

void Supervisor::signal_child(int number, bool group) const {
  if (child_ > 0) kill(group ? -child_ : child_, number);
}

void Supervisor::wait_for_something() {
  const int64_t now_ms = monotonic_now_ms();
  int64_t wait_ms = idle_ms_max;
  if (rules_.next_deadline_ms() != INT64_MAX) wait_ms = std::clamp<int64_t>(rules_.next_deadline_ms() - now_ms, 0, wait_ms);
  if (device_.is_open()) wait_ms = std::min(wait_ms, std::max<int64_t>(device_.pet_every_ms(), 1));
  if (above_.beats) wait_ms = std::min(wait_ms, std::max<int64_t>(above_.limit_ms / 4, 1));
  std::array<pollfd, 2> ready = {
      {{.fd = socket_, .events = POLLIN, .revents = 0}, {.fd = signals_, .events = POLLIN, .revents = 0}}};
  poll(ready.data(), ready.size(), static_cast<int>(wait_ms));
}

// ---- what the child says

void Supervisor::take_messages(int64_t now_ms) {
  std::array<char, 1024> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  while (true) {
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) return;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    ucred sender{};
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
      memcpy(&sender, CMSG_DATA(header), sizeof sender);
    // Only the program itself speaks for it, as with systemd's NotifyAccess=main.
    if (child_ > 0 && sender.pid == child_) take_message({text.data(), static_cast<size_t>(length)}, now_ms);
  }
}

void Supervisor::take_message(std::string_view text, int64_t now_ms) {
  const NotifyMessage message = parse_notify_message(text);
  const bool first = message.ready && !rules_.running();  // it says so again after a reload
  rules_.on_message(message, now_ms);
  if (first) {
    log(LogLevel::Notice, "supervise: process %d is ready", child_);
    arm_device();
    if (!std::exchange(ready_told_, true)) service_notify("READY=1");
  }
  if (message.extend_ms == 0 && message.status.empty()) return;
  std::array<char, 512> up;
  const int length =
      message.extend_ms > 0
          ? snprintf(up.data(), up.size(), "EXTEND_TIMEOUT_USEC=%lld", static_cast<long long>(message.extend_ms) * 1000)
          : snprintf(up.data(), up.size(), "STATUS=%.*s", static_cast<int>(message.status.size()), message.status.data());
  service_notify({up.data(), std::min(static_cast<size_t>(length), up.size() - 1)});
}

// ---- signals and ends

void Supervisor::take_signals(int64_t now_ms) {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    // Before it is ready a program may not have said yet what it wants with them, and they would end it.
    if ((number == SIGHUP || number == SIGUSR1) && rules_.running()) signal_child(number, false);
    if (number != SIGTERM && number != SIGINT) continue;
    log(LogLevel::Notice, "supervise: stopping");
    service_notify("STOPPING=1");
    rules_.on_stop(now_ms);
  }
}

void Supervisor::reap(int64_t now_ms) {
  int state = 0;
  if (child_ <= 0 || waitpid(child_, &state, WNOHANG) != child_) return;
  ChildEnd end;
  if (WIFEXITED(state)) end.code = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) end.signal = WTERMSIG(state);
  // What it has started and left behind would hold its files and sockets.
  kill(-child_, SIGKILL);
  rules_.on_exit(end, now_ms);
  tell_end(end);
  child_ = 0;
}

void Supervisor::tell_end(const ChildEnd& end) const {
  std::array<char, 64> how;
  if (end.signal != 0)
    snprintf(how.data(), how.size(), "was ended by signal %d", end.signal);
  else
    snprintf(how.data(), how.size(), "ended with exit code %d", end.code);
  if (rules_.given_up())
    log(LogLevel::Error, "ALARM: supervise: process %d %s; the restart strategy allows no further start", child_, how.data());
  else if (rules_.next_deadline_ms() != INT64_MAX)
    log(LogLevel::Warning, "supervise: process %d %s; next start in %lld ms", child_, how.data(),
        static_cast<long long>(rules_.delay_ms()));
  else
    log(LogLevel::Notice, "supervise: process %d %s", child_, how.data());
}

// ---- who watches us

/// Late, so that a start that fails leaves no armed device behind.
void Supervisor::arm_device() {
  if (options_.watchdog_device.empty() || device_.is_open() || device_refused_) return;
  const Status status = device_.open(options_.watchdog_device.c_str(), options_.watchdog_device_ms);
  petted_ms_ = monotonic_now_ms();
  device_refused_ = !status.ok();
  if (status.ok())
    log(LogLevel::Notice, "supervise: %s is armed, %lld ms", options_.watchdog_device.c_str(),
        static_cast<long long>(device_.timeout_ms()));
  else
    log(LogLevel::Error, "ALARM: supervise: %s: %s (%d); nothing will reset this machine", options_.watchdog_device.c_str(),
        status.text(), status.detail());
}

void Supervisor::pet(int64_t now_ms) {
  if (!device_.is_open() || over_ || !rules_.healthy() || now_ms - petted_ms_ < device_.pet_every_ms()) return;
  petted_ms_ = now_ms;
  if (Status status = device_.pet(); !status.ok() && !std::exchange(device_refused_, true))
    log(LogLevel::Error, "ALARM: supervise: %s: %s (%d)", options_.watchdog_device.c_str(), status.text(), status.detail());
}

void Supervisor::tell_manager(int64_t now_ms) {
  if (!above_.beats || !rules_.healthy() || (told_ms_ != INT64_MIN && now_ms - told_ms_ < above_.limit_ms / 4)) return;
  told_ms_ = now_ms;
  service_notify("WATCHDOG=1");
}

}  // namespace weir
