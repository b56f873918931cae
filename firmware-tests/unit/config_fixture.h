// What the tests of the configuration share: the shipped example as a text to be edited, loaded from a temporary directory.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "agent/config/load.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir {

inline std::string example_configuration() { return read_whole_file(WEIR_SOURCE_DIR "/configs/overheat.toml"); }

/// A configuration file in the making.
class ConfigFixture {
 public:
  ConfigFixture() : text_(example_configuration()) {}

  /// Replaces the first occurrence; false where there is none.
  bool edit(const std::string& from, const std::string& to) {
    size_t at = text_.find(from);
    if (at == std::string::npos) return false;
    text_.replace(at, from.size(), to);
    return true;
  }
  void write(const std::string& text) { text_ = text; }
  const std::string& text() const { return text_; }

  LoadedConfig load(const std::vector<std::string>& overrides = {}) {
    std::string path = directory_.file("c.toml");
    (void)write_whole_file(path, text_).ok();
    (void)chmod(path.c_str(), 0600);
    std::vector<std::string> paths = {path};
    return load_config(paths, overrides);
  }
  /// What a user sees, with the directory left out of the names.
  std::string report(const std::vector<std::string>& overrides = {}) { return shown(load(overrides)); }
  std::string shown(const LoadedConfig& config, bool with_notes = false) const {
    std::string text = config.diagnostics.format(config.files, false, with_notes);
    std::string prefix = directory_.path() + "/";
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) text.erase(at, prefix.size());
    return text;
  }
  /// The report after one edit of the example.
  std::string report_after(const std::string& from, const std::string& to) {
    return edit(from, to) ? report() : "the text to be edited is not in the example";
  }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
  std::string text_;
};

}  // namespace weir
