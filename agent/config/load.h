// load_config: from files and overrides to the Specification. Called once when a command starts; everything that it finds wrong
// is in the diagnostics, all of it in one go. The caller decides what an error means (exit 78).
#pragma once

#include <span>
#include <string>

#include "agent/config/diagnostics.h"
#include "agent/config/spec.h"

namespace weir {

struct LoadedConfig {
  Specification specification;  // with defaults in the place of what was wrong
  ConfigFiles files;
  Diagnostics diagnostics;
  bool unusable = false;  // a file could not be read or is not TOML: the specification is empty
};

/// A path is a file, or a directory whose *.toml files are taken in the order of their names. Several files are one
/// configuration; a key that two of them set is an error. An override is `dotted.path=value` with a TOML value; a value that is
/// not TOML is taken as text. In a path the tables of an array are called by their name or id, or by their position from 0:
/// `pipeline.overheat.checkpoint.interval=1s`.
LoadedConfig load_config(std::span<const std::string> paths, std::span<const std::string> overrides);

/// The JSON Schema (draft 2020-12) of a configuration file, for editors.
std::string config_schema();

/// The reference page of every option, in Markdown.
std::string config_reference();

/// The same as a page for man(1): weir.toml(5).
std::string config_manual(const std::string& version);

}  // namespace weir
