// StepMark: stands before a step and notes that the record is in its hands, and whose it was before, so that the flight
// recorder tells in which step the process died. Owned by the graph; reactor thread; two stores per record and step.
#pragma once

#include <atomic>

#include "agent/operators/operator.h"

namespace weir {

class StepMark final : public Operator {
 public:
  /// `place` points to where the number goes; it may be changed between two records.
  StepMark(Operator& step, uint32_t number, uint32_t* const& place) : step_(step), place_(place), number_(number) {}

  std::string_view id() const override { return step_.id(); }
  const Schema& schema() const override { return step_.schema(); }
  bool ready() const override { return step_.ready(); }
  Outcome process(const Record& record) override {
    uint32_t* const place = place_;
    const uint32_t before = *place;
    *place = number_;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const Outcome outcome = step_.process(record);
    *place = before;
    return outcome;
  }

 private:
  Operator& step_;
  uint32_t* const& place_;
  uint32_t number_;
};

}  // namespace weir
