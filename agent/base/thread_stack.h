// The stack of another thread, for saying where a stuck one is: it gets a signal (SIGUSR2) whose handler notes the return
// addresses. One question at a time, from one thread; nothing allocates after prepare(). A thread that waits inside the kernel
// without being interruptible (a disk that does not answer) cannot reply.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "agent/base/text_writer.h"

namespace weir {

constexpr size_t thread_stack_frames_max = 32;

/// Installs the handler and loads what unwinding needs. Start-up, before thread_stack(); again does no harm.
void prepare_thread_stacks();
/// Return addresses of `thread` of this process (a kernel's number, gettid), innermost first; valid until the next call. Empty
/// if it has not answered within `wait_ms`, or is no thread of this process.
std::span<void* const> thread_stack(pid_t thread, int64_t wait_ms);
/// "weir+0x1234": the file that the address belongs to and the offset in it, as addr2line takes it.
void append_code_address(void* address, TextWriter& out);

}  // namespace weir
