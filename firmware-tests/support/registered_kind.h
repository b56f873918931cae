// RegisteredKind: makes an operator of one's own known for the length of a test, so that other tests see weir's own only.
#pragma once

#include "agent/model/step_kind.h"

namespace weir::test {

class RegisteredKind {
 public:
  explicit RegisteredKind(const StepKind& kind) : kind_(kind) { register_step_kind(kind); }
  ~RegisteredKind() { unregister_step_kind(kind_); }
  RegisteredKind(const RegisteredKind&) = delete;
  RegisteredKind& operator=(const RegisteredKind&) = delete;

 private:
  const StepKind& kind_;
};

}  // namespace weir::test
