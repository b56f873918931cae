// The command line's side of the control socket. Blocking, with a deadline; for short-lived commands only.
#pragma once

#include <string>

#include "agent/base/status.h"

namespace weir {

/// The socket in a state directory.
std::string control_path(const std::string& state_dir);

/// Sends one line to the agent of `state_dir` and returns its whole answer. Code::NotFound when no agent listens there,
/// Code::Unavailable when it does not answer in time.
Result<std::string> ask_agent(const std::string& state_dir, const std::string& line, int patience_seconds = 10);

}  // namespace weir
