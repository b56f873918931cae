// Secrets named by the configuration. Start-up only.
#pragma once

#include <string>

#include "agent/config/load.h"

namespace weir {

/// The connection's password: from `password_file` (its first line) if there is one, else `password`. A file that cannot be
/// read is an error in the diagnostics. A `password_file` that begins with "$CREDENTIALS_DIRECTORY/" is one of systemd's
/// credentials (systemd.exec(5), LoadCredential=).
std::string read_password(const MqttSpec& mqtt, Diagnostics& diagnostics);

}  // namespace weir
