// Smoother: one way to smooth the numbers of a key, as arithmetic on a fixed number of state bytes; the object serves all keys.
// Made by the smooth step; reactor thread; never allocates after it was made. A result that is not finite says that the
// arithmetic has left the range of a double; the caller begins anew then.
#pragma once

#include <memory>
#include <string>

#include "agent/operators/step_build.h"

namespace weir {

class Smoother {
 public:
  virtual ~Smoother() = default;
  Smoother() = default;
  Smoother(const Smoother&) = delete;
  Smoother& operator=(const Smoother&) = delete;

  virtual uint32_t bytes() const = 0;
  /// The options that give the bytes their meaning.
  /// Adds to the shape and the fields.
  virtual void describe(StateLayout& layout) const = 0;
  /// Whether bytes that come from a disk can be its state.
  virtual bool valid(const uint8_t* at) const = 0;

  /// The first value of a run; it is its own result.
  virtual void begin(uint8_t* at, double value) const = 0;
  /// A value `elapsed_ms` >= 0 after the one before.
  virtual double next(uint8_t* at, double value, int64_t elapsed_ms) const = 0;
};

/// The smoother that the options ask for; never nullptr. Options that are missing or belong to another method are told to
/// `build`.
std::unique_ptr<Smoother> make_smoother(StepBuild& build);

}  // namespace weir
