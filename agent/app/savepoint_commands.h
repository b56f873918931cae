// The parts of `weir savepoint` that look into a file. Each prints what it has to say and returns the exit code.
#pragma once

#include <string>

#include "agent/app/command_line.h"

namespace weir {

int show_savepoint(const std::string& path, bool config_text, bool json);
/// One line: when, which pipelines, how large.
void show_savepoint_line(const std::string& path, bool json);
int verify_savepoint(const std::string& path);
/// exit_ok, or it says why that file is none.
int check_is_savepoint(const std::string& path);

/// `line.words`: the configuration.
int restore_savepoint(const std::string& path, const CommandLine& line);

}  // namespace weir
