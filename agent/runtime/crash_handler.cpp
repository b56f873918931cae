#include "agent/runtime/crash_handler.h"

#include <execinfo.h>
#include <link.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

namespace weir {
namespace {

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t handler_stack_bytes = 32 * 1024;
constexpr size_t handler_frames = 2;  // the handler's own, where the interrupted one is not among them

std::atomic<FlightRun*> recorded_run{nullptr};
std::atomic_flag noted = ATOMIC_FLAG_INIT;
alignas(16) std::array<char, handler_stack_bytes> handler_stack;

uint64_t interrupted_at(const void* context) {
  const auto* state = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return static_cast<uint64_t>(state->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return state->uc_mcontext.pc;
#elif defined(__arm__)
  return state->uc_mcontext.arm_pc;
#else
  return 0;
#endif
}

int64_t boot_time_ms() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

void note_crash(FlightRun& run, int signal, const siginfo_t& info, const void* context) {
  CrashRecord& crash = run.crash;
  crash.code = info.si_code;
  crash.address = info.si_code > 0 ? reinterpret_cast<uintptr_t>(info.si_addr) : 0;
  crash.boot_ms = boot_time_ms();
  crash.thread = static_cast<uint32_t>(syscall(SYS_gettid));
  crash.frames[0] = interrupted_at(context);
  crash.frame_count = 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  crash.signal = signal;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // What has been noted so far stays if unwinding a damaged stack crashes as well.
  std::array<void*, CrashRecord::frames_max> addresses;
  const auto count = static_cast<size_t>(std::max(backtrace(addresses.data(), static_cast<int>(addresses.size())), 0));
  size_t index = 0;
  while (index < count && reinterpret_cast<uintptr_t>(addresses[index]) != crash.frames[0]) ++index;
  for (index = index < count ? index + 1 : handler_frames; index < count && crash.frame_count < CrashRecord::frames_max;
       ++index)
    crash.frames[crash.frame_count++] = reinterpret_cast<uintptr_t>(addresses[index]);
}

void on_crash(int signal, siginfo_t* info, void* context) {
  FlightRun* run = recorded_run.load();
  if (run != nullptr && !noted.test_and_set()) note_crash(*run, signal, *info, context);
  // The handler was taken out when it was called (SA_RESETHAND): the signal ends the process once this returns.
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

int note_module(dl_phdr_info* object, size_t, void* to) {
  auto& run = *static_cast<FlightRun*>(to);
  if (run.module_count == FlightRun::modules_max) return 1;
  CodeModule module{};
  module.begin = object->dlpi_addr;
  for (int index = 0; index < object->dlpi_phnum; ++index) {
    const ElfW(Phdr)& header = object->dlpi_phdr[index];
    if (header.p_type == PT_LOAD)
      module.end = std::max<uint64_t>(module.end, object->dlpi_addr + header.p_vaddr + header.p_memsz);
  }
  const std::string_view path = object->dlpi_name == nullptr ? "" : object->dlpi_name;
  // The program itself comes first, without a name.
  const std::string_view name = path.empty() && run.module_count == 0 ? "weir" : path.substr(path.rfind('/') + 1);
  copy_cut(module.name, name);
  run.modules[run.module_count++] = module;
  return 0;
}

}  // namespace

void record_crashes(FlightRun& run) {
  dl_iterate_phdr(note_module, &run);
  std::array<void*, 2> ignored;
  backtrace(ignored.data(), static_cast<int>(ignored.size()));
  noted.clear();
  recorded_run.store(&run);
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : fatal_signals) sigaction(signal, &action, nullptr);
}

void forget_crashes() { recorded_run.store(nullptr); }

}  // namespace weir
