#include <sys/stat.h>

#include <string>
#include <vector>

#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/support/built_pipelines.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir::fuzz {
namespace {

/// The path of a file that holds `input`; the same one each time.
const std::string& file_with(Bytes input) {
  static const TemporaryDirectory directory("weir-fuzz");
  static const std::string path = directory.file("c.toml");
  const Status written = write_whole_file(path, as_text(input));
  WEIR_ASSERT(written.ok());
  chmod(path.c_str(), 0600);
  return path;
}

void expect_places_in_the_file(const LoadedConfig& config) {
  for (const Diagnostic& each : config.diagnostics.all()) {
    const std::string_view line = config.files[each.at.file].line(each.at.line);
    WEIR_ASSERT(each.at.line == 0 || each.at.column <= character_count(line) + 1);
  }
}

}  // namespace

void config(Bytes input) {
  const std::vector<std::string> paths = {file_with(input)};
  LoadedConfig config = load_config(paths, {});
  WEIR_ASSERT(!config.unusable || config.diagnostics.errors() > 0);
  if (!config.unusable) {
    Arena arena;
    const auto pipelines = build_pipelines(config, arena);
    const auto control_topic = build_control_topic(config, arena);
    WEIR_ASSERT(pipelines.empty() || config.diagnostics.errors() == 0);
  }
  expect_places_in_the_file(config);
  (void)config.diagnostics.format(config.files, true, true);
}

}  // namespace weir::fuzz
