// One function per command; each gets the words after the command's name and returns the exit code.
#pragma once

#include <string>

namespace weir {

int command_run(int count, char** arguments);
int command_check(int count, char** arguments);
int command_plan(int count, char** arguments);
int command_replay(int count, char** arguments);
int command_checkpoint(int count, char** arguments);
int command_status(int count, char** arguments);
int command_blackbox(int count, char** arguments);
int command_doctor(int count, char** arguments);
int command_dead_letters(int count, char** arguments);
int command_supervise(int count, char** arguments);
int command_savepoint(int count, char** arguments);
int command_resume(int count, char** arguments);
int command_reload(int count, char** arguments);
int command_ledger(int count, char** arguments);
int command_stop(int count, char** arguments);
int command_state(int count, char** arguments);
int command_schema(int count, char** arguments);
int command_functions(int count, char** arguments);

/// "weir COMMAND: error: TEXT" on standard error; returns exit_failure.
int command_failed(const char* command, const std::string& text);

/// "weir: error: ..." on standard error; returns exit_usage.
int usage_error(const char* command, const char* error);

}  // namespace weir
