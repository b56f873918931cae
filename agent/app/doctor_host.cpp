// What the checks of weir doctor share: files of the machine, the unit's settings, who may use a file.
#include "agent/app/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace weir {
namespace {

constexpr const char* unit_folders[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                        "/usr/lib/systemd/system", "/lib/systemd/system"};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// The fields of the line of /etc/passwd that is about `name`.
std::vector<std::string> passwd_fields(const Host& host, const std::string& name) {
  for (const std::string& line : split(host.read("/etc/passwd"), '\n'))
    if (!name.empty() && line.starts_with(name + ":")) return split(line, ':');
  return {};
}

std::string mode_text(const struct stat& file) {
  char text[64];
  snprintf(text, sizeof text, "mode %04o, owner %u:%u", static_cast<unsigned>(file.st_mode) & 07777U, file.st_uid, file.st_gid);
  return text;
}

bool permits(const struct stat& file, const HostUser& user, unsigned bits) {
  if (user.uid == 0) return true;
  const auto mode = static_cast<unsigned>(file.st_mode);
  const unsigned granted = file.st_uid == user.uid ? mode >> 6 : file.st_gid == user.gid ? mode >> 3 : mode;
  return (granted & bits) == bits;
}

}  // namespace

std::string Host::read(std::string_view absolute) const {
  std::string text;
  FILE* file = fopen(path(absolute).c_str(), "re");
  if (file == nullptr) return text;
  char buffer[4096];
  for (size_t count = 0; (count = fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, count);
  fclose(file);
  return text;
}

bool Host::exists(std::string_view absolute) const { return access(path(absolute).c_str(), F_OK) == 0; }

std::vector<std::string> Host::conf_files(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path(folder), error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".conf") names.push_back(folder + "/" + entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::string Host::state_dir() const {
  const bool stated = config != nullptr && !config->unusable && !config->specification.agent.state_dir.empty();
  return stated ? config->specification.agent.state_dir : "/var/lib/weir";
}

UnitSettings::UnitSettings(const Host& host) {
  for (const char* folder : unit_folders) {
    const std::string path = std::string(folder) + "/weir.service";
    if (!host.exists(path)) continue;
    path_ = path;
    take(host.read(path));
    break;
  }
  if (path_.empty()) return;
  for (size_t index = std::size(unit_folders); index-- > 0;)
    for (const std::string& path : host.conf_files(std::string(unit_folders[index]) + "/weir.service.d")) take(host.read(path));
}

void UnitSettings::take(const std::string& text) {
  std::string section;
  for (const std::string& each : split(text, '\n')) {
    const std::string_view line = trimmed(each);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.find(']') - 1);
    } else if (const size_t equals = line.find('='); equals != std::string_view::npos) {
      settings_.emplace_back(section + "." + std::string(trimmed(line.substr(0, equals))), trimmed(line.substr(equals + 1)));
    }
  }
}

std::string UnitSettings::get(std::string_view section, std::string_view key) const {
  const std::string name = std::string(section) + "." + std::string(key);
  const auto last = std::find_if(settings_.rbegin(), settings_.rend(), [&](const auto& each) { return each.first == name; });
  return last == settings_.rend() ? std::string() : last->second;
}

HostUser user_of(const Host& host, const UnitSettings& unit) {
  HostUser user{unit.get("Service", "User"), geteuid(), getegid()};
  const std::vector<std::string> fields = passwd_fields(host, user.name);
  if (user.name.empty()) {
    user.name = unit.found() ? "root" : "you";
    if (unit.found()) user.uid = user.gid = 0;
  } else if (fields.size() > 3) {
    user.uid = strtoull(fields[2].c_str(), nullptr, 10);
    user.gid = strtoull(fields[3].c_str(), nullptr, 10);
  } else {
    user.uid = user.gid = UINT64_MAX;  // not there yet: what all may do
  }
  return user;
}

std::string obstacle(const Host& host, const HostUser& user, const std::string& absolute, unsigned bits) {
  for (size_t slash = absolute.find('/', 1);; slash = absolute.find('/', slash + 1)) {
    const bool whole = slash == std::string::npos;
    const std::string part = absolute.substr(0, slash);
    struct stat file {};
    if (stat(host.path(part).c_str(), &file) != 0) return part + " is not there";
    if (!permits(file, user, whole ? bits : 1)) return part + " (" + mode_text(file) + ")";
    if (whole) return {};
  }
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string mebibytes_text(uint64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace weir
