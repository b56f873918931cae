// Configuration that a program brings along: pipelines that an engineer has written in C++ (agent/api/stream.h). load_config
// takes it in behind the files that it is told to read, so that it is checked, planned and run as they are. Start-up only,
// before a configuration is read.
#pragma once

#include "agent/config/diagnostics.h"

namespace weir {

/// `name` stands in messages where a file's path would.
void add_program_configuration(std::string name, std::string text);
const ConfigFiles& program_configuration();

}  // namespace weir
