// Diagnostics: everything that is wrong with a configuration, gathered and then shown at once, each with its place in the file.
// Used while the agent starts or by `weir check`; allocates; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/spec.h"

namespace weir {

/// A text that a configuration was read from. Overrides from the command line count as one-line files.
struct ConfigFile {
  std::string name;  // the path as given; for an override: "--set agent.name=x"
  std::string text;
  bool is_override = false;
  bool world_readable = false;

  /// Line `number` (from 1) without its line break; empty past the end.
  std::string_view line(uint32_t number) const;
};

using ConfigFiles = std::vector<ConfigFile>;

/// The place of the byte `byte_offset` of a text, also behind escape sequences and line breaks. An offset past the end is the
/// place after the last character.
Location inside(const Text& text, size_t byte_offset);

/// A Note says what will surprise nobody who asked (`weir check` prints it); a Warning is printed by every command; an Error
/// keeps the agent from starting.
enum class Severity : uint8_t { Note, Warning, Error };

struct Diagnostic {
  Severity severity = Severity::Error;
  Location at;
  uint32_t length = 1;  // characters of the token
  std::string message;
  std::string help;  // what to do, or empty
};

class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { all_.push_back(std::move(diagnostic)); }
  void error(Location at, size_t length, std::string_view message, std::string_view help = {});
  void warning(Location at, size_t length, std::string_view message, std::string_view help = {});
  void note(Location at, size_t length, std::string_view message, std::string_view help = {});

  size_t errors() const { return count(Severity::Error); }
  size_t warnings() const { return count(Severity::Warning); }
  const std::vector<Diagnostic>& all() const { return all_; }

  /// In the order of the files:
  ///     FILE:LINE:COLUMN: error: MESSAGE
  ///     the source line
  ///        ^~~~~ HELP
  std::string format(const ConfigFiles& files, bool color, bool with_notes = false) const;

 private:
  size_t count(Severity severity) const;

  std::vector<Diagnostic> all_;
};

/// `did you mean "x"?` for the nearest candidate, or `LABEL a, b, c` where none is near.
std::string suggest(std::string_view name, std::span<const std::string> candidates, std::string_view label);

/// The text in double quotes, shortened if it is very long, for messages.
std::string quoted(std::string_view text);

/// Characters (not bytes) of a UTF-8 text.
size_t character_count(std::string_view text);

}  // namespace weir
