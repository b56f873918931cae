// What weir doctor makes of what it has seen: the rules alone, without a machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/app/doctor.h"

namespace weir {

struct Mount {
  std::string point;    // "/var"
  std::string type;     // "ext4"; empty: none found
  std::string options;  // ",rw,relatime,"
};

/// Of a table as /proc/self/mounts has it, the file system that `path` lies on.
Mount mount_of(std::string_view mounts, std::string_view path);

Finding judge_file_system(const std::string& directory, const Mount& mount);
Finding judge_space(const std::string& directory, uint64_t free_bytes, uint64_t needed_bytes);
/// The registers of an eMMC as sysfs shows them, "0x01 0x02" and "0x01"; empty where there are none.
Finding judge_wear(const std::string& device, const std::string& life_time, const std::string& pre_eol);
/// `limit_bytes` is the unit's MemoryMax, 0 for none; `available_bytes` is what the kernel says it could give now.
Finding judge_memory(uint64_t needed_bytes, uint64_t available_bytes, uint64_t limit_bytes);
/// The settings of a mosquitto on this machine, all its files one behind the other.
std::vector<Finding> judge_mosquitto(std::string_view settings);

}  // namespace weir
