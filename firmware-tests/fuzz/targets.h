// What the fuzzers feed: one function per place where bytes from outside come in. Each takes any bytes at all and must come
// back; what has to hold of the answer is asserted, so that a wrong answer ends the process like a crash does. The same
// functions are replayed by a test over firmware-tests/fuzz/corpus/NAME, without a fuzzer. One thread.
#pragma once

#include <span>
#include <string_view>

#include "agent/base/bytes.h"

namespace weir::fuzz {

void config(Bytes input);      // a configuration file, up to the pipelines that are built from it
void expression(Bytes input);  // an expression and an aggregate call over a record with a field of each type
void topic(Bytes input);       // a line each: a topic filter, another one, a topic with fields
void json(Bytes input);        // a JSON payload, decoded, encoded, decoded again
void table(Bytes input);       // CSV rows, and recordings for `weir replay`
void control(Bytes input);     // what a caller of a running agent's control socket sends
void manifest(Bytes input);    // a checkpoint's manifest
void layout(Bytes input);      // the stored description of a part's state
void journal(Bytes input);     // the bytes of a journal, and the records of a sound batch
void state(Bytes input);       // the stored blobs of a pipeline's steps; the steps work on with what they took

/// Ends what control() keeps running from one input to the next.
void stop_control();

struct Target {
  const char* name;
  void (*run)(Bytes input);
};

/// All of them.
std::span<const Target> targets();
/// nullptr: there is none of this name.
const Target* find_target(std::string_view name);

}  // namespace weir::fuzz
