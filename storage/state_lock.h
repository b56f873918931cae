// StateLock: one agent per state directory. Holds an flock on `weir.lock`, which contains the holder's pid as text for
// people and for the message of whoever comes second. The kernel drops the lock when the process ends, however it ends; the
// file stays. Start-up only.
#pragma once

#include <string>

#include "agent/base/status.h"

namespace weir {

class StateLock {
 public:
  StateLock() = default;
  ~StateLock() { release(); }
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

  /// Requires that the directory exists. Code::Busy if another holds it; the detail is then its pid, 0 if it is not known.
  Status acquire(const std::string& state_dir);
  void release();
  bool held() const { return descriptor_ >= 0; }

  /// The pid that the lock file names, whether or not that process still lives. Code::NotFound if it names none.
  static Result<int> holder(const std::string& state_dir);

 private:
  int descriptor_ = -1;
};

}  // namespace weir
