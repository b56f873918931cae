// TemporaryDirectory: a fresh directory under $TMPDIR (or /tmp) that is removed with everything in it when the object goes,
// unless a failing test asked to keep it for whoever looks into the failure.
#pragma once

#include <string>
#include <string_view>

namespace weir {

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(std::string_view prefix = "weir-test");
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  /// The path of `name` in this directory.
  std::string file(std::string_view name) const;
  void keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

}  // namespace weir
