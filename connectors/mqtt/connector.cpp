#include "connectors/mqtt/connector.h"

#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/base/hash.h"
#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int64_t attempt_ms = 10000;
// A connection that ends sooner counts as a failure: two agents with one client id would else take it from each other for ever.
constexpr int64_t stable_ms = 1000;

}  // namespace

Connector::Connector(MqttClient& client, ConnectorUser& user, std::string host, uint16_t port)
    : client_(client),
      user_(user),
      host_(std::move(host)),
      port_(port),
      resolver_(host_),
      backoff_(hash64(as_bytes(client.options().client_id))) {}

Connector::~Connector() {
  close();
  if (timer_fd_ >= 0) ::close(timer_fd_);
}

Status Connector::start(Poller& poller, Now now) {
  WEIR_ASSERT(phase_ == Phase::Idle);
  poller_ = &poller;
  WEIR_TRY(resolver_.start());
  link_.since_boot_ms = now.boot_ms;
  timer_fd_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer_fd_ < 0) return Status(Code::Io, "cannot make a timer", errno);
  WEIR_TRY(poller.watch(resolver_.event_fd(), poll_in, resolved_entry_));
  WEIR_TRY(poller.watch(timer_fd_, poll_in, timer_entry_));
  phase_ = Phase::Held;
  go(now);
  return {};
}

void Connector::go(Now) {
  if (phase_ == Phase::Held && user_.may_connect()) begin();
}

void Connector::begin() {
  phase_ = Phase::Resolving;
  resolver_.request();
}

void Connector::on_resolved(uint32_t, Now now) {
  if (!resolver_.take(addresses_) || phase_ != Phase::Resolving) return;
  next_address_ = 0;
  if (addresses_.count == 0) error_ = addresses_.error;
  try_next_address(now);
}

void Connector::try_next_address(Now now) {
  while (next_address_ < addresses_.count) {
    user_.on_connecting();
    if (client_.connect(addresses_.list[next_address_++].text, port_).ok() && watch_socket()) {
      phase_ = Phase::Connecting;
      attempt_boot_ms_ = now.boot_ms;
      return;
    }
    error_ = client_.error();
    client_.drop();
  }
  ++link_.failed_attempts;
  tell_failure(false);
  wait(backoff_.after_failure_ms(), now);
}

bool Connector::watch_socket() {
  watched_fd_ = fcntl(client_.fd(), F_DUPFD_CLOEXEC, 3);
  if (watched_fd_ < 0) return false;
  wanted_ = poll_in | poll_out;
  if (poller_->watch(watched_fd_, wanted_, socket_entry_).ok()) return true;
  ::close(watched_fd_);
  watched_fd_ = -1;
  return false;
}

void Connector::unwatch_socket() {
  if (watched_fd_ < 0) return;
  poller_->forget(watched_fd_);
  ::close(watched_fd_);
  watched_fd_ = -1;
}

void Connector::want(uint32_t events) {
  if (watched_fd_ < 0 || events == wanted_) return;
  wanted_ = events;
  poller_->rearm(watched_fd_, events, socket_entry_);
}

void Connector::established(Now now) {
  phase_ = Phase::Established;
  established_boot_ms_ = link_.since_boot_ms = now.boot_ms;
  ++connects_;
  told_ = nullptr;
  log(LogLevel::Info, "mqtt %s: connected to %s port %u", client_.options().client_id.c_str(), host_.c_str(), unsigned{port_});
}

void Connector::lost(Now now) {
  if (!has_socket()) return;
  error_ = client_.error();
  client_.drop();
  unwatch_socket();
  if (phase_ == Phase::Connecting) {
    try_next_address(now);
    return;
  }
  const int64_t ms = wait_after_loss_ms(now);
  end_established(now);
  wait(ms, now);
}

/// A takeover is a contest however soon it comes: the session was ours.
int64_t Connector::wait_after_loss_ms(Now now) {
  const int64_t held_ms = now.boot_ms - established_boot_ms_;
  const Ending ending = client_.ending();
  if (ending == Ending::TakenOver) {
    ++link_.takeovers;
    return backoff_.after_contest_ms(held_ms);
  }
  if (ending == Ending::Closed && held_ms < uncontested_ms) ++link_.closed_early;
  if (!was_stable(now)) return backoff_.after_failure_ms();
  return ending == Ending::Closed ? backoff_.after_contest_ms(held_ms) : backoff_.after_loss_ms();
}

void Connector::end_established(Now now) {
  ++link_.lost;
  link_.since_boot_ms = now.boot_ms;
  tell_failure(true);
  tell_contest();
}

void Connector::drop(const char* why, Now now) {
  if (!has_socket()) return;
  client_.drop();
  unwatch_socket();
  error_ = why;
  if (was_stable(now)) backoff_.reset();
  if (is_established()) {
    end_established(now);
  } else {
    ++link_.failed_attempts;
    tell_failure(false);
  }
  wait(backoff_.after_failure_ms(), now);
}

void Connector::close() {
  if (phase_ == Phase::Closed) return;
  client_.drop();
  unwatch_socket();
  if (poller_ != nullptr) {
    poller_->forget(timer_fd_);
    poller_->forget(resolver_.event_fd());
  }
  phase_ = Phase::Closed;
}

bool Connector::was_stable(Now now) const {
  return phase_ == Phase::Established && now.boot_ms - established_boot_ms_ >= stable_ms;
}

void Connector::wait(int64_t ms, Now now) {
  phase_ = Phase::Waiting;
  link_.next_try_boot_ms = now.boot_ms + ms;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(ms / 1000);
  when.it_value.tv_nsec = static_cast<long>(ms % 1000 * 1'000'000);
  WEIR_ASSERT(timerfd_settime(timer_fd_, 0, &when, nullptr) == 0);
}

/// Each reason once until the next connection, or a broker that is away all night fills the log.
void Connector::tell_failure(bool was_established) {
  const char* id = client_.options().client_id.c_str();
  if (was_established) {
    log(LogLevel::Warning, "mqtt %s: connection to %s lost: %s", id, host_.c_str(), error_);
  } else if (told_ != error_) {
    log(LogLevel::Warning, "mqtt %s: cannot connect to %s port %u: %s", id, host_.c_str(), unsigned{port_}, error_);
    told_ = error_;
  }
}

/// Once for each doubling, for two gateways may go on like this for a year.
void Connector::tell_contest() {
  const uint64_t count = link_.takeovers + link_.closed_early;
  if (count < 2 || (count & (count - 1)) != 0) return;
  log(LogLevel::Warning,
      "mqtt %s: %llu times now another client has taken the session over, or the broker has closed the connection early: does "
      "another gateway use this client id? Give each an agent.name, or a client_id, of its own",
      client_.options().client_id.c_str(), static_cast<unsigned long long>(count));
}

void Connector::on_timer(uint32_t, Now now) {
  uint64_t expirations = 0;
  if (read(timer_fd_, &expirations, sizeof expirations) < 0 || phase_ != Phase::Waiting) return;
  phase_ = Phase::Held;
  link_.next_try_boot_ms = -1;
  go(now);
}

void Connector::on_tick(Now now) {
  if (phase_ == Phase::Connecting && now.boot_ms - attempt_boot_ms_ >= attempt_ms) {
    error_ = "the broker did not answer";
    client_.drop();
    unwatch_socket();
    try_next_address(now);
  }
  go(now);
}

}  // namespace weir
