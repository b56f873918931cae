#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/savepoint_commands.h"
#include "agent/app/savepoint_file.h"
#include "agent/app/savepoint_report.h"
#include "connectors/codecs/manifest_codec.h"
#include "storage/files.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir savepoint create  [CONFIG... | --state-dir DIR] [--pipeline NAME] [--to FILE] [--json]\n"
    "       weir savepoint list    [CONFIG... | --state-dir DIR] [--json]\n"
    "       weir savepoint show    FILE [--config-text] [--json]\n"
    "       weir savepoint verify  FILE\n"
    "       weir savepoint restore FILE [CONFIG...] [--state-dir DIR] [--pipeline NAME] [--replace] [--dry-run]\n"
    "                              [--allow-non-restored-state]\n"
    "       weir savepoint dispose FILE...\n\n"
    "A savepoint is one file with the state of all pipelines, or of one, and the configuration that they ran with.\n"
    "  create    of the agent that runs, which goes on meanwhile, or of its state directory when none runs. Without --to the\n"
    "            file gets a name of its own in STATE_DIR/savepoints\n"
    "  list      those in STATE_DIR/savepoints\n"
    "  show      what it holds; --config-text prints the configuration alone. `weir state show --savepoint FILE` prints keys\n"
    "            and values\n"
    "  verify    reads all of it and checks every sum\n"
    "  restore   puts it into the state directory of an agent that does not run, on this gateway or another, if it fits the\n"
    "            configuration. --replace: in the place of state that is there; --dry-run: only says what would become of it\n"
    "  dispose   deletes it\n"
    "Exit codes: 0, 1 if something is missing or in use, 64 for a wrong command line, 65 if the file is damaged, 78 if it "
    "does\n"
    "not fit the configuration.\n";

int list(const std::string& state_dir, bool json) {
  const std::string directory = savepoint_directory(state_dir);
  std::vector<std::string> paths;
  if (DIR* entries = opendir(directory.c_str()); entries != nullptr) {
    while (const dirent* entry = readdir(entries))
      if (std::string_view(entry->d_name).ends_with(".savepoint")) paths.push_back(directory + "/" + entry->d_name);
    closedir(entries);
  } else if (errno != ENOENT) {
    return command_failed("savepoint", directory + ": " + strerror(errno));
  }
  std::ranges::sort(paths);
  if (paths.empty() && !json) printf("no savepoints in %s\n", directory.c_str());
  for (const std::string& path : paths) show_savepoint_line(path, json);
  return exit_ok;
}

int dispose(const std::vector<std::string>& paths) {
  if (paths.empty()) return usage_error("savepoint", "dispose takes the files to delete");
  for (const std::string& path : paths) {
    if (int code = check_is_savepoint(path); code != exit_ok) return code;
    if (unlink(path.c_str()) != 0) return command_failed("savepoint", path + ": " + strerror(errno));
    printf("deleted: %s\n", path.c_str());
  }
  return exit_ok;
}

int with_state_dir(const std::string& what, const CommandLine& line) {
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  return what == "list" ? list(state_dir, line.json) : create_savepoint("savepoint", state_dir, line);
}

int with_file(const std::string& what, CommandLine& line) {
  if (line.words.empty()) return usage_error("savepoint", (what + " takes the file of a savepoint").c_str());
  const std::string path = line.words.front();
  line.words.erase(line.words.begin());
  if (what == "restore") return restore_savepoint(path, line);
  if (!line.words.empty()) return usage_error("savepoint", (what + " takes one file").c_str());
  return what == "show" ? show_savepoint(path, line.flags.contains("config-text"), line.json) : verify_savepoint(path);
}

}  // namespace

int command_savepoint(int count, char** arguments) {
  CommandLine line = parse_command_line(
      count, arguments,
      {"set", "state-dir", "pipeline", "to", "json", "config-text!", "replace!", "dry-run!", "allow-non-restored-state"});
  if (!line.error.empty()) return usage_error("savepoint", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string what = line.words.empty() ? "" : line.words.front();
  if (!line.words.empty()) line.words.erase(line.words.begin());
  if (what == "create" || what == "list") return with_state_dir(what, line);
  if (what == "show" || what == "verify" || what == "restore") return with_file(what, line);
  if (what == "dispose") return dispose(line.words);
  return usage_error("savepoint", "say what to do: create, list, show, verify, restore or dispose");
}

}  // namespace weir
