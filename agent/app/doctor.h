// weir doctor: looks at what the agent needs around it on a gateway: its configuration, unit, files, clock, disk, memory and
// broker. It reads and connects, and writes nothing. One function per subject, all of them in one table; a further check is one
// more line there.
//
// A command of its own process: may use the heap and block for a few seconds.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/app/configuration.h"

namespace weir {

enum class Verdict : uint8_t { Ok, Warn, Fail };

/// "ok", "warn", "fail"
constexpr const char* verdict_name(Verdict verdict) {
  if (verdict == Verdict::Ok) return "ok";
  return verdict == Verdict::Warn ? "warn" : "fail";
}

struct Finding {
  Verdict verdict = Verdict::Ok;
  std::string check;   // the subject: "clock"
  std::string found;   // what is the case
  std::string advice;  // what to do; empty where nothing has to be done
};

/// The user that the agent runs as.
struct HostUser {
  std::string name;
  uint64_t uid = 0, gid = 0;
};

/// The machine as the checks see it.
struct Host {
  std::string root;                       // before every path of the machine; empty but in tests
  const LoadedConfig* config = nullptr;   // as far as it could be read
  Agent* agent = nullptr;                 // what was built from it; null where nothing could be
  std::vector<std::string> config_paths;  // as the command line names them
  Clock* clock = nullptr;
  HostUser user;

  std::string path(std::string_view absolute) const { return root + std::string(absolute); }
  /// A file of the machine, whole; empty if it cannot be read.
  std::string read(std::string_view absolute) const;
  bool exists(std::string_view absolute) const;
  /// The paths of the files in a folder that end with ".conf", in the order of their names, as programs read such folders.
  std::vector<std::string> conf_files(const std::string& folder) const;
  /// As the configuration says, else where a service's is.
  std::string state_dir() const;
};

/// The settings of the unit with its drop-ins, as systemd merges them: the last one counts, an empty one clears. Of a setting
/// that may come several times the last is told.
class UnitSettings {
 public:
  explicit UnitSettings(const Host& host);
  bool found() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  /// Empty where it is not set.
  std::string get(std::string_view section, std::string_view key) const;

 private:
  void take(const std::string& text);

  std::string path_;
  std::vector<std::pair<std::string, std::string>> settings_;  // "Service.User" and its value
};

/// Who runs the agent: the unit's User=, or whoever asks.
HostUser user_of(const Host& host, const UnitSettings& unit);

/// What keeps `user` from using `absolute` in the ways of `bits` (4 read, 2 write, 1 search): the file itself or a directory on
/// the way, with its mode; empty if nothing does. Directories below the host's root count.
std::string obstacle(const Host& host, const HostUser& user, const std::string& absolute, unsigned bits);

/// What stands between the separators, also where that is nothing.
std::vector<std::string> split(std::string_view text, char separator);

/// "12 MiB", rounded up.
std::string mebibytes_text(uint64_t bytes);

using DoctorCheck = void (*)(const Host& host, std::vector<Finding>& findings);

void check_host_config(const Host& host, std::vector<Finding>& findings);
void check_host_unit(const Host& host, std::vector<Finding>& findings);
void check_host_files(const Host& host, std::vector<Finding>& findings);
void check_host_clock(const Host& host, std::vector<Finding>& findings);
void check_host_disk(const Host& host, std::vector<Finding>& findings);
void check_host_flash(const Host& host, std::vector<Finding>& findings);
void check_host_memory(const Host& host, std::vector<Finding>& findings);
void check_host_broker(const Host& host, std::vector<Finding>& findings);

inline constexpr DoctorCheck doctor_checks[] = {check_host_config, check_host_unit,  check_host_files,  check_host_clock,
                                                check_host_disk,   check_host_flash, check_host_memory, check_host_broker};

}  // namespace weir
