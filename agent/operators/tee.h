// Tee: hands each record to several steps that read the same output. Owned by the graph; reactor thread; no state.
#pragma once

#include <vector>

#include "agent/operators/operator.h"

namespace weir {

class Tee final : public Operator {
 public:
  Tee(const Schema& schema, std::vector<Operator*> readers) : schema_(schema), readers_(std::move(readers)) {}

  std::string_view id() const override { return "tee"; }
  const Schema& schema() const override { return schema_; }
  /// A message is booked once: a dead letter if any reader made one, else applied if any took it up, else late before filtered.
  Outcome process(const Record& record) override;
  bool ready() const override;

 private:
  const Schema& schema_;
  std::vector<Operator*> readers_;
};

/// Where records go that nobody reads: a route's default branch without a reader.
class Drain final : public Operator {
 public:
  explicit Drain(const Schema& schema) : schema_(schema) {}
  std::string_view id() const override { return "drain"; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record&) override { return Outcome::Filtered; }
  bool ready() const override { return true; }

 private:
  const Schema& schema_;
};

}  // namespace weir
