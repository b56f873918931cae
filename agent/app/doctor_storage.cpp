// weir doctor: the disk under the state directory, and how worn it is.
#include "agent/app/doctor.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>

#include "agent/app/doctor_judge.h"

namespace weir {
namespace {

/// The directory itself, or the nearest above it that is there.
std::string existing(const Host& host, std::string path) {
  while (path.size() > 1 && !host.exists(path)) path.resize(std::max<size_t>(path.rfind('/'), 1));
  return path;
}

/// What all pipelines may come to keep: checkpoints, a transaction in the log, results that wait, dead letters, journals.
uint64_t stored_bytes_max(const Host& host) {
  uint64_t bytes = 0;
  for (const auto& pipeline : host.agent->hosts())
    bytes += pipeline->pipeline()->stored_bytes_max() + 2 * pipeline->pipeline()->transaction_bytes_max();
  for (const PipelineSpec& pipeline : host.config->specification.pipeline) {
    bytes += pipeline.sink.outbox.max_bytes + pipeline.dead_letters.max_bytes;
    if (pipeline.has_journal()) bytes += pipeline.first_source().journal.size;
  }
  return bytes;
}

std::string unescaped(std::string_view mounted) {
  std::string text;
  for (size_t at = 0; at < mounted.size(); ++at) {
    const bool octal = mounted[at] == '\\' && at + 3 < mounted.size();
    text += octal ? static_cast<char>(strtol(std::string(mounted.substr(at + 1, 3)).c_str(), nullptr, 8)) : mounted[at];
    if (octal) at += 3;
  }
  return text;
}

/// 0x0B as eMMC writes it; 0 if it is no number.
unsigned register_value(const std::string& text) { return static_cast<unsigned>(strtoul(text.c_str(), nullptr, 16)); }

}  // namespace

Mount mount_of(std::string_view mounts, std::string_view path) {
  Mount best;
  size_t longest = 0;
  for (const std::string& line : split(mounts, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() < 4) continue;
    const std::string point = unescaped(words[1]);
    const bool holds = point == "/" || path == point || path.starts_with(point + "/");
    if (!holds || point.size() < longest) continue;  // of two at one place the later one covers the other
    longest = point.size();
    best = {point, words[2], "," + words[3] + ","};
  }
  return best;
}

Finding judge_file_system(const std::string& directory, const Mount& mount) {
  const auto is_one_of = [&](std::initializer_list<const char*> types) {
    return std::ranges::any_of(types, [&](const char* type) { return mount.type == type; });
  };
  const std::string where = directory + " lies on " + mount.type + " (" + mount.point + ")";
  if (mount.options.find(",ro,") != std::string::npos)
    return {Verdict::Fail, "disk", where + ", which is mounted read-only", "put agent.state_dir on a writable partition"};
  if (is_one_of({"tmpfs", "ramfs"}))
    return {Verdict::Fail, "disk", where + ": all state is gone after a boot", "put agent.state_dir on a disk"};
  if (is_one_of({"nfs", "nfs4", "cifs", "smb3", "9p"}) || mount.type.starts_with("fuse"))
    return {Verdict::Fail, "disk", where + ": SQLite's log and locks need a local file system",
            "put agent.state_dir on a local disk"};
  if (is_one_of({"vfat", "exfat", "msdos", "ntfs", "ntfs3"}))
    return {Verdict::Warn, "disk", where + ": it has no journal of its own and no permissions; a power cut can damage it",
            "use ext4 or f2fs for agent.state_dir"};
  if (mount.type == "overlay")
    return {Verdict::Warn, "disk", where + ": in many images and containers the upper layer is gone after a boot",
            "make sure that it stays, or put agent.state_dir on a volume"};
  if (mount.options.find(",nobarrier,") != std::string::npos || mount.options.find(",barrier=0,") != std::string::npos)
    return {Verdict::Fail, "disk", where + " without barriers: a power cut can lose what was synced", "mount it with barriers"};
  return {Verdict::Ok, "disk", where, ""};
}

Finding judge_space(const std::string& directory, uint64_t free_bytes, uint64_t needed_bytes) {
  const std::string text = mebibytes_text(free_bytes) + " free for " + directory + ", the configuration may come to keep " +
                           mebibytes_text(needed_bytes);
  if (free_bytes >= needed_bytes) return {Verdict::Ok, "disk", text, ""};
  return {Verdict::Warn, "disk", text,
          "make room, or lower outbox.max_bytes, dead_letters.max_bytes, journal.size or max_keys: with a full disk nothing is "
          "acknowledged until there is room"};
}

Finding judge_wear(const std::string& device, const std::string& life_time, const std::string& pre_eol) {
  unsigned worst = 0;
  for (const std::string& type : split(life_time, ' ')) worst = std::max(worst, register_value(type));
  const unsigned reserve = register_value(pre_eol);
  // JEDEC eMMC 5.0: 1 is up to a tenth of its life, 10 up to all of it, 11 beyond; of the reserve blocks 2 is four fifths used,
  // 3 nine tenths.
  const std::string used = device + " has used up to " + std::to_string(std::min(worst, 10U) * 10) + " % of its life";
  const char* plan = "`weir plan --flash SIZE` tells which checkpoint interval lets it last";
  if (worst > 10 || reserve >= 3)
    return {Verdict::Fail, "flash", device + " is worn out", "replace it; take a savepoint first"};
  if (worst >= 8 || reserve == 2) return {Verdict::Warn, "flash", used, std::string("plan its replacement; ") + plan};
  if (worst == 0) return {Verdict::Ok, "flash", device + " does not tell how worn it is", plan};
  return {Verdict::Ok, "flash", used, ""};
}

void check_host_disk(const Host& host, std::vector<Finding>& findings) {
  const std::string directory = host.state_dir();
  const std::string there = existing(host, directory);
  const Mount mount = mount_of(host.read("/proc/self/mounts"), there);
  if (mount.type.empty())
    findings.push_back({Verdict::Warn, "disk", "cannot tell on which file system " + directory + " lies", ""});
  else
    findings.push_back(judge_file_system(directory, mount));
  struct statvfs space {};
  if (host.agent != nullptr && statvfs(host.path(there).c_str(), &space) == 0)
    findings.push_back(judge_space(directory, uint64_t{space.f_bavail} * space.f_frsize, stored_bytes_max(host)));
}

void check_host_flash(const Host& host, std::vector<Finding>& findings) {
  struct stat status {};
  if (stat(host.path(existing(host, host.state_dir())).c_str(), &status) != 0) return;
  // A partition's link leads to a folder within its disk's.
  const std::string block =
      "/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
  for (const std::string& disk : {block, block + "/.."}) {
    const std::string device = disk + "/device";
    if (!host.exists(device + "/type") && !host.exists(device + "/life_time")) continue;
    std::string name = host.read(device + "/name");
    name.resize(std::min(name.find('\n'), name.size()));
    const std::string kind = host.read(device + "/type").starts_with("SD") ? "the SD card" : "the eMMC";
    findings.push_back(judge_wear(name.empty() ? kind : kind + " " + name, host.read(device + "/life_time"),
                                  host.read(device + "/pre_eol_info")));
    return;
  }
  findings.push_back({Verdict::Ok, "flash", host.state_dir() + " lies on no SD card or eMMC that could be asked", ""});
}

}  // namespace weir
