// FlatMapFunction, MapFunction, FilterFunction: operators of one's own after Flink's DataStream API, and the FunctionBuild that
// their constructors get. A function is a class; step_kind<F>() makes it a step that a configuration or a Stream
// (agent/api/stream.h) can name.
//
// One object serves all keys of its step; what belongs to a key is in its states (agent/api/state.h). Made while the agent
// starts, after that on the reactor's thread only; nothing in here allocates or waits, and neither may a function: its results
// follow from the record and the state alone, for after a crash it sees the records since the last checkpoint again. Records
// come in the order in which they arrived. For timers see KeyedFunction (agent/operators/keyed_function.h).
#pragma once

#include "agent/api/state.h"
#include "agent/api/values.h"
#include "agent/model/step_kind.h"
#include "agent/operators/step_build.h"

namespace weir {

class FunctionStep;

/// What a function's constructor declares its fields and states with, once each, into members. Whatever is wrong is reported
/// at the step's place in the configuration, and the function is never called.
class FunctionBuild {
 public:
  /// The options as the configuration gives them, read by the rows that the step's kind declares.
  const StepOptions& options() const { return build_.options(); }
  /// For all that is not here: input, memory, expressions, errors.
  StepBuild& step() { return build_; }

  /// The field `name` of the records that come in; one of another type is an error.
  template <class T>
  InputField<T> input(std::string_view name) {
    return InputField<T>(build_.field_named(name, ValueType<T>::readable));
  }
  /// The field that the option `key` (StepOptionType::Text) names.
  template <class T>
  InputField<T> input_by_option(std::string_view key) {
    return InputField<T>(build_.field(key, ValueType<T>::readable));
  }
  /// A field of the results, null until it is set. Those of a flat_map begin with the key's fields, which are set already; a
  /// map adds the field to the record, or replaces one of that name. `max_length` counts for texts, in bytes.
  template <class T>
  OutputField<T> output(std::string name, uint32_t max_length = default_string_length) {
    const uint32_t length = ValueType<T>::type == Type::String ? max_length : 0;
    return OutputField<T>(frame_, add_output({std::move(name), ValueType<T>::type, length}), length);
  }

  /// State of a key; a name is used once.
  template <Storable T>
  ValueState<T> value_state(std::string_view name) {
    return {frame_, add_state<ValueState<T>>(name)};
  }
  template <Storable T, uint32_t N>
  ListState<T, N> list_state(std::string_view name, WhenFull when_full) {
    return {frame_, add_state<ListState<T, N>>(name), when_full};
  }
  template <Storable K, Storable V, uint32_t N>
  MapState<K, V, N> map_state(std::string_view name, WhenFull when_full) {
    return {frame_, add_state<MapState<K, V, N>>(name), when_full};
  }

 private:
  friend class FunctionStep;
  /// How one state's bytes are judged.
  struct StatePart {
    uint32_t at = 0;
    bool (*empty)(const uint8_t* at) = nullptr;
    bool (*valid)(const uint8_t* at) = nullptr;
  };

  FunctionBuild(StepBuild& build, FunctionFrame& frame, Schema schema, bool replaces)
      : build_(build), frame_(frame), schema_(std::move(schema)), replaces_(replaces) {}

  uint32_t add_output(Field field);
  template <class State>
  uint32_t add_state(std::string_view name) {
    StoredFields described;
    State::describe(described, std::string(name));
    return add_state_part(name, described, &State::empty, &State::valid);
  }
  uint32_t add_state_part(std::string_view name, const StoredFields& described, bool (*empty)(const uint8_t*),
                          bool (*valid)(const uint8_t*));

  StepBuild& build_;
  FunctionFrame& frame_;
  Schema schema_;  // of what is handed on
  bool replaces_;  // an output may have the name of an input
  uint64_t state_bytes_ = 0;
  StoredFields described_;
  std::vector<std::string> state_names_;
  std::vector<StatePart> parts_;
};

/// What the kinds of functions have in common; to be derived from through one of them.
class StreamFunction {
 public:
  virtual ~StreamFunction() = default;
  StreamFunction() = default;
  StreamFunction(const StreamFunction&) = delete;
  StreamFunction& operator=(const StreamFunction&) = delete;

  /// Memory is kept for so many results of one record; to collect more is a programmer's error, and ends the agent.
  virtual uint32_t results_max() const { return 1; }

 private:
  friend class FunctionStep;
  virtual Outcome run(const Record& record, FunctionStep& step) = 0;
};

/// Where a flat_map's results go.
class Collector {
 public:
  /// Hands a result on with the outputs as they were set, which are null again after it. Its event time is the record's. At
  /// most results_max() times per record.
  void collect();
  /// Sets the record itself aside, to be looked at with `weir dead-letters`; `reason` is a constant.
  void refuse(const char* reason, std::string_view detail = {});

 private:
  friend class FlatMapFunction;
  Collector(FunctionStep& step, const Record& record) : step_(step), record_(record) {}

  FunctionStep& step_;
  const Record& record_;
  uint32_t count_ = 0;
  Outcome outcome_ = Outcome::Applied;
};

/// One record in, up to results_max() results out; they consist of the key's fields and the outputs.
class FlatMapFunction : public StreamFunction {
 public:
  virtual void flat_map(const Record& record, Collector& out) = 0;

 private:
  Outcome run(const Record& record, FunctionStep& step) final;
};

/// One record in, the same record out, with the outputs added or replaced.
class MapFunction : public StreamFunction {
 public:
  virtual void map(const Record& record) = 0;

 private:
  Outcome run(const Record& record, FunctionStep& step) final;
};

/// Records for which it returns false go no further; the others go on as they came.
class FilterFunction : public StreamFunction {
 public:
  virtual bool filter(const Record& record) = 0;

 private:
  Outcome run(const Record& record, FunctionStep& step) final;
};

/// What a function becomes: a step over keys. Not to be named outside of agent/api.
class FunctionStep final : public KeyedFunction {
 public:
  template <class F>
  [[gnu::cold]] static std::unique_ptr<Operator> make(StepBuild& build) {
    constexpr bool collects = std::is_base_of_v<FlatMapFunction, F>;
    constexpr bool adds = std::is_base_of_v<MapFunction, F>;
    static_assert(collects || adds || std::is_base_of_v<FilterFunction, F>,
                  "a function is a FlatMapFunction, a MapFunction or a FilterFunction");
    auto frame = std::make_unique<FunctionFrame>();
    FunctionBuild declared(build, *frame, collects ? build.key_schema() : build.input(), adds);
    auto function = std::make_unique<F>(declared);
    return build.keyed(std::unique_ptr<FunctionStep>(new FunctionStep(declared, std::move(frame), std::move(function))));
  }

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return state_bytes_; }
  void describe(StateLayout& layout) const override;
  bool valid(const uint8_t* state) const override;
  Outcome process(const Record& record, KeyContext& context) override;
  bool needs_order() const override { return false; }
  uint32_t fan_out() const override { return function_->results_max(); }

 private:
  friend class Collector;
  friend class FlatMapFunction;
  friend class MapFunction;
  friend class FilterFunction;
  FunctionStep(FunctionBuild& declared, std::unique_ptr<FunctionFrame> frame, std::unique_ptr<StreamFunction> function);

  void begin_row(std::span<const Value> values);
  KeyContext& context() { return *frame_->context; }

  Schema schema_;
  StoredFields described_;
  uint32_t state_bytes_;
  std::vector<FunctionBuild::StatePart> parts_;
  std::unique_ptr<FunctionFrame> frame_;
  std::unique_ptr<StreamFunction> function_;
};

/// The step whose function is F, which is made from a FunctionBuild&. To be kept as a constant of the program and made known
/// with register_step_kind() (agent/model/step_kind.h); a configuration names it by `operator = "VERB"`.
template <class F>
constexpr StepKind step_kind(const char* verb, const char* documentation, std::span<const StepOption> options = {}) {
  StepKind kind;
  kind.verb = verb;
  kind.documentation = documentation;
  kind.options = options;
  kind.keyed = true;
  kind.custom = true;
  kind.make = &FunctionStep::make<F>;
  return kind;
}

}  // namespace weir
