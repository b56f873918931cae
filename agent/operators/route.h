// Route: sends each record into the first branch whose condition is true, and on to the next step if none is. A null counts as
// not true. Owned by its pipeline; reactor thread; no state.
#pragma once

#include <string>
#include <vector>

#include "agent/expression/expression.h"
#include "agent/operators/operator.h"

namespace weir {

class Route final : public Operator {
 public:
  /// One bool condition per branch. `input` must outlive this.
  Route(std::string id, std::vector<std::string> names, std::vector<Program> conditions, const Schema& input);

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return input_; }
  Outcome process(const Record& record) override;
  bool ready() const override;
  std::span<const std::string> branches() const override { return names_; }
  void connect_branch(size_t branch, Operator* next) override { readers_[branch] = next; }

 private:
  std::string id_;
  std::vector<std::string> names_;
  std::vector<Program> conditions_;
  std::vector<Operator*> readers_;
  const Schema& input_;
};

/// Union: what comes from several outputs goes on as one stream. Owned by its pipeline; reactor thread; no state.
class Union final : public Operator {
 public:
  Union(std::string id, Schema schema) : id_(std::move(id)), schema_(std::move(schema)) {}
  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  Outcome process(const Record& record) override { return next().process(record); }

 private:
  std::string id_;
  Schema schema_;
};

}  // namespace weir
