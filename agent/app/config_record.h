// The configuration as it is kept with the state, for whoever wants to know later what the state was made with.
#pragma once

#include <string>

#include "agent/config/load.h"

namespace weir {

/// The text of all files, each behind a comment with its name, and the overrides as comments. Passwords are left out.
std::string config_record(const LoadedConfig& config);

/// `toml` with the values of all keys "password" replaced.
std::string without_passwords(std::string_view toml);

}  // namespace weir
