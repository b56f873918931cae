#include "agent/base/thread_stack.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "firmware-tests/support/wait.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

std::atomic<bool> spinning{false};

[[gnu::noinline]] void spin_for_its_stack(const std::atomic<bool>& go_on) {
  while (go_on.load()) spinning.store(true);
}

}  // namespace

TEST_GROUP(ThreadStack) {
  std::atomic<bool> go_on{true};
  std::atomic<pid_t> id{0};
  std::thread thread;

  void setup() override {
    prepare_thread_stacks();
    spinning.store(false);
  }
  void spin() {
    thread = std::thread([this] {
      id.store(gettid());
      spin_for_its_stack(go_on);
    });
    CHECK_TRUE(eventually(5'000, [] { return spinning.load(); }));
  }
  void teardown() override {
    go_on.store(false);
    if (thread.joinable()) thread.join();
  }
};

#if !defined(__arm__)  // whose tables tell of places in functions where something is called, not of any place

TEST(ThreadStack, of_a_busy_thread_leads_through_the_function_that_it_is_in) {
  spin();
  const std::span<void* const> frames = thread_stack(id.load(), 2'000);
  CHECK_TRUE(frames.size() >= 3);
  bool found = false;
  for (void* frame : frames) {
    const auto distance = static_cast<char*>(frame) - reinterpret_cast<char*>(&spin_for_its_stack);
    found |= distance >= 0 && distance < 256;
  }
  CHECK_TRUE(found);
}

#endif

TEST(ThreadStack, is_asked_for_again_and_again) {
  spin();
  for (int time = 0; time < 20; ++time) CHECK_FALSE(thread_stack(id.load(), 2'000).empty());
}

TEST(ThreadStack, of_a_thread_that_is_not_there_is_empty) {
  UNSIGNED_LONGS_EQUAL(0, thread_stack(0, 50).size());
  UNSIGNED_LONGS_EQUAL(0, thread_stack(1, 50).size());
}

TEST(ThreadStack, of_a_thread_that_does_not_answer_is_empty_after_the_wait) {
  std::atomic<bool> blocked{false};
  thread = std::thread([this, &blocked] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    id.store(gettid());
    blocked.store(true);
    spin_for_its_stack(go_on);
  });
  CHECK_TRUE(eventually(5'000, [&] { return blocked.load(); }));
  const int64_t before_ms = monotonic_ms();
  UNSIGNED_LONGS_EQUAL(0, thread_stack(id.load(), 100).size());
  CHECK_TRUE(monotonic_ms() - before_ms >= 100);
}

TEST(ThreadStack, the_signal_without_a_question_does_nothing) { LONGS_EQUAL(0, raise(SIGUSR2)); }

TEST(ThreadStack, addresses_are_told_as_file_and_offset) {
  std::array<char, 128> text;
  TextWriter out(text);
  append_code_address(reinterpret_cast<void*>(&spin_for_its_stack), out);
  const std::string told(out.text());
  CHECK_TRUE_TEXT(told.starts_with("unit+0x"), told.c_str());
  out.clear();
  append_code_address(reinterpret_cast<void*>(16), out);
  STRCMP_EQUAL("0x10", std::string(out.text()).c_str());
}
