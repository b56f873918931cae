#include "agent/runtime/reactor.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir {

static_assert(poll_in == EPOLLIN && poll_out == EPOLLOUT && poll_error == (EPOLLERR | EPOLLHUP));

Reactor::Reactor(Arena& arena, Clock& clock, size_t descriptors_max, size_t handlers_max)
    : clock_(clock),
      watches_(arena.take<Watch>(descriptors_max, "reactor", "descriptors and turn handlers")),
      handlers_(arena.take<TurnHandler*>(handlers_max, "reactor", "")) {}

Reactor::~Reactor() {
  if (timer_ >= 0) close(timer_);
  if (epoll_ >= 0) close(epoll_);
}

Status Reactor::open() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return {Code::Io, "cannot create an epoll descriptor", errno};
  timer_ = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer_ < 0) return {Code::Io, "cannot create a timer descriptor", errno};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = timer_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) return {Code::Io, "cannot watch the timer", errno};
  return {};
}

void Reactor::add(TurnHandler& handler) {
  WEIR_ASSERT(handler_count_ < handlers_.size());
  handlers_[handler_count_++] = &handler;
}

void Reactor::remove(TurnHandler& handler) {
  const std::span<TurnHandler*> used = handlers_.first(handler_count_);
  const auto rest = std::remove(used.begin(), used.end(), &handler);
  handler_count_ = static_cast<size_t>(rest - used.begin());
}

Reactor::Watch* Reactor::find(int fd) {
  for (Watch& watch : watches_)
    if (watch.fd == fd) return &watch;
  return nullptr;
}

Status Reactor::watch(int fd, uint32_t events, PollHandler& handler) {
  Watch* slot = find(-1);
  if (slot == nullptr) return {Code::Full, "too many descriptors"};
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return {Code::Io, "cannot watch a descriptor", errno};
  *slot = {fd, &handler, events};
  return {};
}

void Reactor::rearm(int fd, uint32_t events, PollHandler& handler) {
  Watch* slot = find(fd);
  WEIR_ASSERT(slot != nullptr);
  slot->handler = &handler;
  if (slot->events == events) return;
  slot->events = events;
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  // The descriptor may have been closed under us by its library, which also took it out of the epoll set; its owner
  // notices by itself and calls forget().
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Reactor::forget(int fd) {
  Watch* slot = find(fd);
  if (slot == nullptr) return;
  *slot = {};
  epoll_event event{};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &event);
}

void Reactor::arm_timer() {
  int64_t deadline = INT64_MAX;
  for (TurnHandler* handler : handlers_.first(handler_count_)) deadline = std::min(deadline, handler->next_deadline_boot_ms());
  if (deadline == armed_for_) return;
  armed_for_ = deadline;
  itimerspec when{};
  if (deadline != INT64_MAX) {
    // A deadline of 0 would disarm the timer; one in the past fires at once.
    int64_t at = std::max<int64_t>(deadline, 1);
    when.it_value.tv_sec = static_cast<time_t>(at / 1000);
    when.it_value.tv_nsec = static_cast<long>(at % 1000 * 1'000'000);
  }
  WEIR_ASSERT(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

void Reactor::serve(int fd, uint32_t events, Now now) {
  // Looked up for each event: a handler may have forgotten a descriptor that is still in this batch, its own among them.
  const Watch* slot = find(fd);
  if (slot == nullptr) return;
  PollHandler* handler = slot->handler;
  handler->on_ready(events, now);
  const int64_t began_boot_ms = served_boot_ms_;
  served_boot_ms_ = clock_.now().boot_ms;
  slot = find(fd);
  if (slot != nullptr && slot->handler == handler) handler->on_took(served_boot_ms_ - began_boot_ms);
}

Status Reactor::turn() {
  arm_timer();
  epoll_event events[16];
  int count = epoll_wait(epoll_, events, 16, -1);
  if (count < 0) {
    if (errno == EINTR) return {};
    return {Code::Io, "epoll_wait failed", errno};
  }
  const Now now = this->now();
  served_boot_ms_ = now.boot_ms;
  for (int index = 0; index < count; ++index) {
    int fd = events[index].data.fd;
    if (fd == timer_) {
      uint64_t expirations;
      if (read(timer_, &expirations, sizeof expirations) > 0) armed_for_ = INT64_MIN;
      continue;
    }
    serve(fd, events[index].events, now);
  }
  for (TurnHandler* handler : handlers_.first(handler_count_)) handler->on_turn(now);
  pulse_.step();
  return {};
}

Status Reactor::run() {
  running_ = true;
  pulse_.adopt_this_thread();
  const PulseScope expected(pulse_);
  while (running_) WEIR_TRY(turn());
  return {};
}

}  // namespace weir
