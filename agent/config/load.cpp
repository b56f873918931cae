#include "agent/config/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/config/binder.h"
#include "agent/config/merge.h"
#include "agent/config/program_configuration.h"

namespace weir {
namespace {

constexpr size_t host_name_bytes_max = 64;

/// Adds an error that has a file but no place in it.
void file_error(LoadedConfig& config, const std::string& path, const std::string& message, const std::string& help = {}) {
  config.files.push_back({path, {}, false, false});
  config.diagnostics.error({static_cast<uint32_t>(config.files.size() - 1), 0, 0}, 1, message, help);
  config.unusable = true;
}

/// Reads at most one byte more than is allowed; true unless reading failed (errno).
bool read_all(int descriptor, std::string& text) {
  char buffer[16384];
  while (text.size() <= config_bytes_max) {
    ssize_t count = read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    text.append(buffer, static_cast<size_t>(count));
  }
  return true;
}

void read_file(LoadedConfig& config, const std::string& path) {
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ConfigFile file;
  file.name = path;
  struct stat information = {};
  bool read = descriptor >= 0 && fstat(descriptor, &information) == 0 && read_all(descriptor, file.text);
  int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (!read) return file_error(config, path, "cannot read it: " + std::string(strerror(error)));
  if (file.text.size() > config_bytes_max) return file_error(config, path, "it is larger than 1 MiB");
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (file.text.starts_with(byte_order_mark)) file.text.erase(0, byte_order_mark.size());
  file.world_readable = S_ISREG(information.st_mode) && (information.st_mode & S_IROTH) != 0;
  config.files.push_back(std::move(file));
}

void read_directory(LoadedConfig& config, const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (!directory) return file_error(config, path, "cannot read it: " + std::string(strerror(errno)));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) {
    std::string name = entry->d_name;
    if (name.ends_with(".toml") && name[0] != '.') names.push_back(std::move(name));
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  if (names.empty()) file_error(config, path, "there is no *.toml in this directory");
  for (const std::string& name : names) read_file(config, path + (path.ends_with("/") ? "" : "/") + name);
}

void read_path(LoadedConfig& config, const std::string& path) {
  struct stat information = {};
  if (stat(path.c_str(), &information) == 0 && S_ISDIR(information.st_mode)) return read_directory(config, path);
  read_file(config, path);
}

/// The tree of all files. Every file is parsed, so that each reports its error; one that could not be read counts as empty.
Node parse_files(LoadedConfig& config) {
  Node root;
  root.at = {0, 1, 1};
  root.length = 1;
  root.is_inline = false;
  for (uint32_t index = 0; index < config.files.size(); ++index) {
    Node tree;
    if (!parse_toml(config.files, index, tree, config.diagnostics)) {
      config.unusable = true;
    } else {
      merge_file(root, std::move(tree), config.files, config.diagnostics);
    }
  }
  return root;
}

void apply_overrides(LoadedConfig& config, Node& root, std::span<const std::string> overrides) {
  for (const std::string& text : overrides) {
    config.files.push_back({"--set " + text, text, true, false});
    uint32_t index = static_cast<uint32_t>(config.files.size() - 1);
    apply_override(root, config.files, index, config.diagnostics);
  }
}

std::string host_name() {
  char name[host_name_bytes_max + 1] = {};
  if (gethostname(name, host_name_bytes_max) != 0) return "weir";
  std::string text = std::string(name).substr(0, 63);
  return is_name(text) ? text : "weir";
}

/// The defaults that are no constants.
void fill_names(Specification& specification) {
  if (specification.agent.name.empty()) specification.agent.name = host_name();
  for (MqttSpec& mqtt : specification.mqtt)
    if (mqtt.client_id.empty()) mqtt.client_id = specification.agent.name;
}

}  // namespace

LoadedConfig load_config(std::span<const std::string> paths, std::span<const std::string> overrides) {
  LoadedConfig config;
  for (const std::string& path : paths) read_path(config, path);
  config.files.insert(config.files.end(), program_configuration().begin(), program_configuration().end());
  Node root = parse_files(config);
  apply_overrides(config, root, overrides);
  if (config.files.empty()) config.diagnostics.error({}, 1, "no configuration file is named");
  if (config.files.empty() || config.unusable) {
    config.unusable = true;
    return config;
  }
  CheckContext context = {config.diagnostics, config.files};
  bind_specification(root, config.specification, context);
  fill_names(config.specification);
  return config;
}

}  // namespace weir
