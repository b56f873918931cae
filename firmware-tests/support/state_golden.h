// Golden state: a database as a released format wrote it, with the pipelines and records that it was made of. A directory
// firmware-tests/golden/state-format-N holds
//   NAME.toml       the steps of a pipeline NAME, as StepRig takes them
//   before-1.jsonl, before-2.jsonl    records, each followed by a checkpoint
//   weir.db         the state then, without its log
//   after.jsonl     records that a restored pipeline takes
//   expected.txt    what is stored, and what the restored pipelines yield
// The first two are written by hand, weir.db and expected.txt by weir-state-golden, once.
#pragma once

#include <string>

#include "agent/base/status.h"

namespace weir::test {

/// Writes the database of the directory's pipelines into `state_dir`.
Status write_state_golden(const std::string& directory, const std::string& state_dir);
/// What is stored in `state_dir` by its own description, then the results of the directory's pipelines that go on from it.
/// An error is part of the text.
std::string state_golden_text(const std::string& directory, const std::string& state_dir);

}  // namespace weir::test
