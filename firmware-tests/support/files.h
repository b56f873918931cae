// Small files, whole: what tests write for a program and read back from it. An unreadable file is an empty text.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/status.h"

namespace weir {

std::string read_whole_file(const std::string& path);
Status write_whole_file(const std::string& path, std::string_view text);
bool path_exists(const std::string& path);

}  // namespace weir
