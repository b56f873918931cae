#include "firmware-tests/support/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "agent/base/assert.h"

namespace weir {

TemporaryDirectory::TemporaryDirectory(std::string_view prefix) {
  const char* parent = std::getenv("TMPDIR");
  path_ = parent != nullptr && *parent != 0 ? parent : "/tmp";
  path_.append("/").append(prefix).append("-XXXXXX");
  WEIR_ASSERT(mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (kept_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::file(std::string_view name) const { return path_ + "/" + std::string(name); }

}  // namespace weir
