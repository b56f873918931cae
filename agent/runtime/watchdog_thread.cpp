#include "agent/runtime/watchdog_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "agent/base/log.h"
#include "agent/base/thread_stack.h"
#include "agent/runtime/service_notify.h"

namespace weir {
namespace {

/// Enough for formatting a line of the log; the stack of the stuck thread is walked on that thread.
constexpr size_t stack_bytes = 128 * 1024;
/// A thread that runs, or waits interruptibly, answers at once.
constexpr int64_t stack_answer_ms = 200;

int64_t monotonic_now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Status WatchdogThread::start(const WatchdogSettings& settings) {
  settings_ = settings;
  prepare_thread_stacks();
  stop_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event_ < 0) return {Code::Io, "cannot create an event descriptor", errno};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::max<size_t>(stack_bytes, static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN))));
  const int error = pthread_create(&thread_, &attributes, enter, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) return {Code::Io, "cannot create the watchdog's thread", error};
  started_ = true;
  return {};
}

void WatchdogThread::stop() {
  if (started_) {
    const uint64_t one = 1;
    if (write(stop_event_, &one, sizeof one) < 0) log(LogLevel::Error, "watchdog: cannot wake its thread: errno %d", errno);
    pthread_join(thread_, nullptr);
    started_ = false;
  }
  if (stop_event_ >= 0) close(stop_event_);
  stop_event_ = -1;
}

void* WatchdogThread::enter(void* self) {
  pthread_setname_np(pthread_self(), "weir-watchdog");
  static_cast<WatchdogThread*>(self)->run();
  return nullptr;
}

void WatchdogThread::run() {
  do {
    const WatchdogMonitor::Verdict verdict = monitor_.check(monotonic_now_ms(), *this);
    if (verdict.healthy) tell_manager();
    if (verdict.hopeless && settings_.aborts) abort_process();
  } while (sleep(monitor_.period_ms()));
}

/// False: it is over.
bool WatchdogThread::sleep(int64_t duration_ms) const {
  pollfd stop{.fd = stop_event_, .events = POLLIN, .revents = 0};
  return poll(&stop, 1, static_cast<int>(std::min<int64_t>(duration_ms, INT_MAX))) <= 0;
}

void WatchdogThread::tell_manager() const {
  if (settings_.beats) service_notify("WATCHDOG=1");
  if (!asks_for_time_.load(std::memory_order_relaxed)) return;
  std::array<char, 64> text;
  TextWriter message(text);
  message.append("EXTEND_TIMEOUT_USEC=").append_int(monitor_.limit_ms() * 1000);
  service_notify(message.text());
}

void WatchdogThread::abort_process() const {
  log(LogLevel::Error, "watchdog: no progress within %lld ms: ending with SIGABRT",
      static_cast<long long>(monitor_.limit_ms()));
  abort();
}

void WatchdogThread::on_stuck(const WatchdogMonitor::Part& part, int64_t idle_ms) {
  TextWriter text(text_);
  describer_.describe_work(part, text);
  log(LogLevel::Error, "ALARM: watchdog: the %.*s has made no progress for %lld ms%s%.*s", static_cast<int>(part.name.size()),
      part.name.data(), static_cast<long long>(idle_ms), text.size() > 0 ? ": " : "", static_cast<int>(text.size()),
      text.text().data());
  text.clear();
  const std::span<void* const> frames = thread_stack(part.pulse->thread(), stack_answer_ms);
  for (void* frame : frames) {
    text.append(text.size() > 0 ? " " : "");
    append_code_address(frame, text);
  }
  if (frames.empty()) text.append("its thread does not answer; it waits inside the kernel, or is gone");
  log(LogLevel::Error, "watchdog: stack of the %.*s: %.*s", static_cast<int>(part.name.size()), part.name.data(),
      static_cast<int>(text.size()), text.text().data());
}

void WatchdogThread::on_recovered(const WatchdogMonitor::Part& part, int64_t idle_ms) {
  describer_.work_goes_on();
  log(LogLevel::Warning, "watchdog: the %.*s goes on after %lld ms", static_cast<int>(part.name.size()), part.name.data(),
      static_cast<long long>(idle_ms));
}

}  // namespace weir
