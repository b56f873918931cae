// What the tests of sessions, counts, states and sliding windows share: one such step with its end, its store and the process
// that it lives in. Records are a device, a number v, a float x and a flag on.
#pragma once

#include <functional>
#include <memory>

#include "agent/operators/keyed_operator.h"
#include "agent/operators/own_window.h"
#include "agent/operators/window_fields.h"
#include "firmware-tests/support/operator_probe.h"
#include "firmware-tests/support/random.h"

namespace weir::test {

inline Schema own_window_input() {
  return schema_of({{"device", Type::String, 12}, {"v", Type::Int, 0}, {"x", Type::Float, 0}, {"on", Type::Bool, 0}});
}

struct OwnWindowSetup {
  uint32_t max_keys = 10;
  Evict evict = Evict::Reject;
  Late late = Late::Drop;
  uint32_t clocks = 1;
  bool panes = false;
  std::vector<std::pair<std::string, std::string>> aggregate = {{"n", "count()"}, {"sum", "sum(v)"}};
};

using MakeOwnWindow = std::function<std::unique_ptr<KeyedFunction>(OwnWindowParts, Arena&)>;

class OwnWindowRig {
 public:
  OwnWindowRig(OwnWindowSetup wanted, MakeOwnWindow make) : setup(std::move(wanted)), make_(std::move(make)) { start_anew(); }

  void start_anew() {
    step = nullptr;
    arena = std::make_unique<Arena>(size_t{64} << 20);
    OwnWindowParts parts;
    parts.panes = setup.panes;
    for (const auto& [name, text] : setup.aggregate) parts.aggregates.push_back(aggregation_of(name, text, input));
    parts.fields = window_fields(input, {0}, parts.aggregates, parts.panes);
    KeyedSpec spec{"w", {0}, setup.max_keys, setup.evict, setup.clocks, setup.late};
    step = std::make_unique<KeyedOperator>(std::move(spec), make_(std::move(parts), *arena), input, *arena, "p.w");
    step->connect(&sink, &refusals);
    if (!step->branches().empty()) step->connect_branch(0, &side);
    step->set_op(3);
  }

  Outcome send(const std::string& device, int64_t time, Value v = Value::of_int(1), Value on = Value::null()) {
    Value values[] = {Value::of_string(device), v, Value::null(), on};
    Record record{.values = values, .event_time_ms = time, .offset = ++offset};
    record.identity = offset;
    record.processing_ms = processing_ms;
    record.clock = clock;
    return step->process(record);
  }
  void advance(int64_t watermark) {
    const bool done = step->advance(watermark);
    WEIR_ASSERT(done);
  }
  void finish() { advance(INT64_MAX); }
  /// What came out since the last call.
  std::string out() {
    std::string lines = sink.lines();
    sink.seen.clear();
    return lines;
  }

  void checkpoint(bool committed = true) { checkpoint_of(*step, ++checkpoint_id, blobs, committed); }
  Status restart() {
    start_anew();
    return blobs.load_into(*step);
  }

  OwnWindowSetup setup;
  Schema input = own_window_input();
  std::unique_ptr<Arena> arena;
  ProbeSink sink;
  ProbeSink side;
  RefusalLog refusals;
  std::unique_ptr<KeyedOperator> step;
  MemoryBlobs blobs;
  uint64_t offset = 0;
  uint64_t checkpoint_id = 0;
  int64_t processing_ms = 0;
  uint32_t clock = 0;

 private:
  MakeOwnWindow make_;
};

}  // namespace weir::test
