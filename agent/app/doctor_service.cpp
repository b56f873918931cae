// weir doctor: the configuration, the unit that runs the agent, the files that it reads and writes, and the clock.
#include "agent/app/doctor.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "agent/status/utc_text.h"

namespace weir {
namespace {

constexpr const char* service_name = "weir.service";

struct Wish {
  const char* key;
  bool (*holds)(const std::string& value);
  const char* why;
};

/// What the unit that ships says, and somebody may have changed.
constexpr Wish wishes[] = {
    {"Type", [](const std::string& value) { return value == "notify" || value == "notify-reload"; },
     "Type=notify tells systemd when the agent is ready"},
    {"Restart", [](const std::string& value) { return value == "on-failure" || value == "always" || value == "on-abnormal"; },
     "Restart=on-failure brings it back after a crash"},
    {"WatchdogSec", [](const std::string& value) { return !value.empty() && value != "0" && value != "infinity"; },
     "WatchdogSec=30 ends an agent that hangs"},
    {"RestartPreventExitStatus", [](const std::string& value) { return value.find("78") != std::string::npos; },
     "RestartPreventExitStatus=78 65: starting again does not mend a wrong configuration"},
    {"User", [](const std::string& value) { return !value.empty() && value != "root" && value != "0"; },
     "User=weir: nothing of it needs root"},
    {"ProtectSystem", [](const std::string& value) { return value == "strict" || value == "full"; },
     "ProtectSystem=strict keeps it from writing elsewhere"},
    {"NoNewPrivileges", [](const std::string& value) { return value == "yes" || value == "true" || value == "1"; },
     "NoNewPrivileges=yes"},
};

bool is_enabled(const Host& host) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(host.path("/etc/systemd/system"), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string folder = entry->path().filename().string();
    std::error_code ignored;
    if ((folder.ends_with(".wants") || folder.ends_with(".requires")) &&
        std::filesystem::is_symlink(std::filesystem::symlink_status(entry->path() / service_name, ignored)))
      return true;
  }
  return false;
}

void check_password_file(const Host& host, const MqttSpec& mqtt, std::vector<Finding>& findings) {
  const std::string& file = mqtt.password_file;
  if (file.empty() || file[0] != '/') return;
  struct stat status {};
  const std::string hindrance = obstacle(host, host.user, file, 4);
  if (!hindrance.empty()) {
    findings.push_back({Verdict::Fail, "files", host.user.name + " cannot read the password file " + file + ": " + hindrance,
                        hindrance.ends_with("is not there")
                            ? "put the password into it"
                            : "chgrp " + host.user.name + " " + file + " && chmod 640 " + file});
  } else if (stat(host.path(file).c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    findings.push_back({Verdict::Warn, "files", "every user can read the password file " + file, "chmod o-r " + file});
  }
}

}  // namespace

void check_host_config(const Host& host, std::vector<Finding>& findings) {
  std::string names;
  for (const std::string& path : host.config_paths) names += (names.empty() ? "" : " ") + path;
  const Diagnostics& said = host.config->diagnostics;
  if (host.config_paths.size() == 1 && !host.exists(host.config_paths[0])) {
    findings.push_back({Verdict::Fail, "configuration", "there is no " + names, "`weir run` shows a first one"});
  } else if (said.errors() > 0) {
    const Diagnostic& first = *std::ranges::find(said.all(), Severity::Error, &Diagnostic::severity);
    findings.push_back({Verdict::Fail, "configuration",
                        names + ": " + std::to_string(said.errors()) +
                            (said.errors() == 1 ? " error: " : " errors, the first: ") + first.message,
                        "weir check " + names + " shows each with its line"});
  } else if (said.warnings() > 0) {
    findings.push_back({Verdict::Warn, "configuration", names + ": " + std::to_string(said.warnings()) + " warnings",
                        "weir check " + names + " shows them"});
  } else {
    findings.push_back({Verdict::Ok, "configuration",
                        names + ": pipelines: " + std::to_string(host.config->specification.pipeline.size()), ""});
  }
}

void check_host_unit(const Host& host, std::vector<Finding>& findings) {
  if (!host.exists("/run/systemd/system")) {
    findings.push_back({Verdict::Ok, "unit", "there is no systemd here",
                        "let the init system run `weir supervise`: it starts the agent again and watches it"});
    return;
  }
  const UnitSettings unit(host);
  if (!unit.found()) {
    findings.push_back({Verdict::Warn, "unit", "no weir.service is installed: after a crash or a boot nobody starts the agent",
                        "install the package, or copy configs/weir.service to /etc/systemd/system"});
    return;
  }
  const size_t before = findings.size();
  if (!is_enabled(host))
    findings.push_back({Verdict::Warn, "unit", unit.path() + " is not enabled: the agent does not start at boot",
                        "systemctl enable --now weir"});
  for (const Wish& wish : wishes) {
    const std::string value = unit.get("Service", wish.key);
    if (wish.holds(value)) continue;
    findings.push_back({Verdict::Warn, "unit", std::string(wish.key) + (value.empty() ? " is not set" : " is " + value),
                        std::string(wish.why) + "; systemctl edit weir"});
  }
  if (findings.size() == before) findings.push_back({Verdict::Ok, "unit", unit.path() + " is installed and enabled", ""});
}

void check_host_files(const Host& host, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const std::string& user = host.user.name;
  for (const std::string& path : host.config_paths) {
    if (path.empty() || path[0] != '/' || !host.exists(path)) continue;
    const std::string hindrance = obstacle(host, host.user, path, 4);
    if (!hindrance.empty())
      findings.push_back({Verdict::Fail, "files", user + " cannot read " + path + ": " + hindrance, "chmod o+r " + path});
  }
  if (!host.config->unusable)
    for (const MqttSpec& mqtt : host.config->specification.mqtt) check_password_file(host, mqtt, findings);
  const std::string state = host.state_dir();
  if (host.exists(state)) {
    struct stat status {};
    const std::string hindrance = obstacle(host, host.user, state, 7);
    if (!hindrance.empty())
      findings.push_back({Verdict::Fail, "files", user + " cannot write to the state directory " + state + ": " + hindrance,
                          "chown " + user + ": " + state});
    else if (stat(host.path(state).c_str(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
      findings.push_back(
          {Verdict::Warn, "files", "every user can look into the state directory " + state, "chmod o= " + state});
  } else if (UnitSettings(host).get("Service", "StateDirectory").empty()) {
    const std::string parent = state.substr(0, std::max<size_t>(state.rfind('/'), 1));
    const std::string hindrance = obstacle(host, host.user, parent, 3);
    if (!hindrance.empty())
      findings.push_back({Verdict::Fail, "files", user + " cannot make the state directory " + state + ": " + hindrance,
                          "mkdir -p " + state + " && chown " + user + ": " + state});
  }
  if (findings.size() == before)
    findings.push_back({Verdict::Ok, "files", user + " can read the configuration and write to " + state, ""});
}

void check_host_clock(const Host& host, std::vector<Finding>& findings) {
  const Now now = host.clock->now();
  const ClockSync sync = host.clock->sync();
  char text[40];
  TextWriter utc(text);
  append_utc(utc, now.wall_ms);
  const std::string shows = "the wall clock shows " + std::string(utc.text());
  if (now.wall_ms < earliest_plausible_wall_ms) {
    findings.push_back({Verdict::Fail, "clock", shows + ": it was never set",
                        "let systemd-timesyncd or chrony set it, or fit a clock with a battery; event_time.max_future and "
                        "unsynchronised_clock = \"wait\" keep readings apart until then"});
  } else if (sync == ClockSync::Unsynchronised) {
    findings.push_back({Verdict::Warn, "clock", shows + " and is not synchronised",
                        "run systemd-timesyncd or chrony; sources with arrival time can wait for it: unsynchronised_clock = "
                        "\"wait\""});
  } else {
    findings.push_back(
        {Verdict::Ok, "clock",
         shows + (sync == ClockSync::Synchronised ? " and is synchronised" : "; whether it is synchronised may not be asked"),
         ""});
  }
}

}  // namespace weir
