#include "agent/app/savepoint_report.h"

#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/savepoint_file.h"
#include "agent/base/clock.h"
#include "agent/base/json_string.h"

namespace weir {

int create_savepoint(const char* command, const std::string& state_dir, const CommandLine& line) {
  const auto to = line.values.find("to");
  SystemClock clock;
  const std::string path = to != line.values.end() ? to->second : new_savepoint_path(state_dir, clock.now().wall_ms);
  MadeSavepoint made;
  std::string error;
  const Status status = make_savepoint(state_dir, line.pipeline, path, made, error);
  if (!status.ok()) return command_failed(command, error.empty() ? status.text() : error);
  if (line.json) printf("{\"file\":%s,\"pipelines\":[", json_string(path).c_str());
  if (!line.json) printf("%s\n", path.c_str());
  bool first = true;
  for (const CopiedCheckpoint& copied : made.pipelines) {
    const auto checkpoint = static_cast<unsigned long long>(copied.source_id);
    const auto offset = static_cast<unsigned long long>(copied.manifest.source_offset);
    const auto bytes = static_cast<unsigned long long>(copied.bytes);
    if (line.json) {
      printf("%s{\"pipeline\":%s,\"checkpoint\":%llu,\"offset\":%llu,\"bytes\":%llu}", first ? "" : ",",
             json_string(copied.manifest.pipeline).c_str(), checkpoint, offset, bytes);
    } else {
      printf("  %s: checkpoint %llu, %llu messages, %llu bytes\n", copied.manifest.pipeline, checkpoint, offset, bytes);
    }
    first = false;
  }
  if (line.json) printf("]}\n");
  return exit_ok;
}

}  // namespace weir
