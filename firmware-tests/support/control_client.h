// One question to an agent over the control socket in its state directory: a line out, the whole answer back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/status.h"

namespace weir {

/// Sends `line` and reads until the agent closes. Code::Unavailable: nobody answers there, or not within the deadline.
Result<std::string> ask_agent(const std::string& socket_path, std::string_view line, int64_t deadline_ms = 2000);

}  // namespace weir
