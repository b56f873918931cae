#include "agent/base/thread_stack.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

namespace weir {
namespace {

enum class Question : int { None, Asked, Answering, Answered };

std::atomic<Question> question{Question::None};
std::atomic<pid_t> asked_thread{0};
std::array<void*, thread_stack_frames_max> frames;
std::atomic<int> frame_count{0};

static_assert(std::atomic<Question>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

void answer(int) {
  const int saved_errno = errno;
  Question expected = Question::Asked;
  // Whoever else sends this signal, or sent it too late, gets no answer.
  if (asked_thread.load() == gettid() && question.compare_exchange_strong(expected, Question::Answering)) {
    frame_count.store(backtrace(frames.data(), static_cast<int>(frames.size())));
    question.store(Question::Answered);
  }
  errno = saved_errno;
}

void pause_a_millisecond() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

void prepare_thread_stacks() {
  // The first call of backtrace loads the unwinder, with the heap.
  std::array<void*, 2> ignored;
  backtrace(ignored.data(), static_cast<int>(ignored.size()));
  struct sigaction action {};
  action.sa_handler = answer;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, nullptr);
}

std::span<void* const> thread_stack(pid_t thread, int64_t wait_ms) {
  asked_thread.store(thread);
  question.store(Question::Asked);
  if (thread > 0 && syscall(SYS_tgkill, getpid(), thread, SIGUSR2) == 0) {
    for (int64_t waited_ms = 0; waited_ms < wait_ms && question.load() != Question::Answered; ++waited_ms)
      pause_a_millisecond();
  }
  Question expected = Question::Asked;
  if (question.compare_exchange_strong(expected, Question::None)) return {};
  while (question.load() != Question::Answered) pause_a_millisecond();
  question.store(Question::None);
  return std::span<void* const>(frames).first(static_cast<size_t>(frame_count.load()));
}

void append_code_address(void* address, TextWriter& out) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    out.printf("%p", address);
    return;
  }
  const char* slash = strrchr(info.dli_fname, '/');
  const auto offset = static_cast<size_t>(static_cast<char*>(address) - static_cast<char*>(info.dli_fbase));
  out.printf("%s+0x%zx", slash != nullptr ? slash + 1 : info.dli_fname, offset);
}

}  // namespace weir
