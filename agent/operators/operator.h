// Operator: one step of a pipeline. Records are pushed through: each operator does its work and hands the record, or a record
// of its own, to the next; the last one is the sink. Pure: state, input and event time in, records out; no clock, no I/O, no
// heap after it was made. Reactor thread only.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/model/codec.h"
#include "agent/model/record.h"
#include "agent/model/schema.h"
#include "agent/model/stateful.h"

namespace weir {

/// Told by an operator that cannot take a record (its key table is full). The record is set aside, never silently dropped.
class RefusalHandler {
 public:
  virtual ~RefusalHandler() = default;
  virtual void on_refused(const Record& record, const Schema& schema, std::string_view step, Refusal refusal) = 0;
};

class BackgroundExecutor;

class Operator {
 public:
  virtual ~Operator() = default;
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// The step's id, or "step-N" where the configuration gives none.
  virtual std::string_view id() const = 0;
  /// What the records look like that it hands on.
  virtual const Schema& schema() const = 0;

  /// Takes one record; returns what became of it. Never blocks: the results that an operator makes in answer to a single record
  /// must fit whatever the sink keeps in reserve for that: fan_out() of them.
  virtual Outcome process(const Record& record) = 0;
  /// The most records that it hands on in answer to one record, or between two questions for ready().
  virtual uint32_t fan_out() const { return 1; }

  /// Event time has reached `watermark_ms`: no record with an event time <= it is expected any more. Fires what is due, while
  /// downstream is ready. Returns true when all is fired; false: call again with the same or a later watermark. The pipeline
  /// calls it in the order of the steps and takes no input in between. Must be harmless when nothing is due.
  virtual bool advance(int64_t watermark_ms) {
    (void)watermark_ms;
    return true;
  }
  /// The same for the records of one clock, for operators all of whose keys follow one clock each (a key field is the one that
  /// event_time.per names); advance() is not called for them.
  virtual bool follows_clocks() const { return false; }
  virtual bool advance_clock(uint32_t clock, int64_t watermark_ms) {
    (void)clock, (void)watermark_ms;
    return true;
  }
  /// Processing time has come to `processing_ms`, which never goes back. As advance(), for those that ask for it.
  virtual bool wants_ticks() const { return false; }
  virtual bool tick(int64_t processing_ms) {
    (void)processing_ms;
    return true;
  }
  /// Where an operator does what may wait for a disk; it is called before records come, or never: then it waits in place.
  virtual void connect_background(BackgroundExecutor& executor) { (void)executor; }
  /// Whether all that comes after this operator has room for fan_out() more results.
  virtual bool ready() const { return next_ == nullptr || next_->ready(); }
  /// Its state, or nullptr if it has none.
  virtual Stateful* stateful() { return nullptr; }
  /// Keys whose state was given up for others since the start of the process (max_keys with evict).
  virtual uint64_t evicted() const { return 0; }
  /// Records some of whose windows had fired for good, while others took them; and records that changed a window which had
  /// fired, so that it fires again. Both are part of the operator's state.
  virtual uint64_t late_partial() const { return 0; }
  virtual uint64_t late_updates() const { return 0; }

  /// Further outputs beside the main one, by name: the branches of a route, what came too late.
  virtual std::span<const std::string> branches() const { return {}; }
  virtual const Schema& branch_schema(size_t branch) const {
    (void)branch;
    return schema();
  }
  virtual void connect_branch(size_t branch, Operator* next) { (void)branch, (void)next; }
  /// Where the records of a second input go in (a join's); nullptr if there is none.
  virtual Operator* second_input() { return nullptr; }

  void connect(Operator* next, RefusalHandler* refusals) {
    next_ = next;
    refusals_ = refusals;
  }

 protected:
  Operator& next() const { return *next_; }
  RefusalHandler& refusals() const { return *refusals_; }

 private:
  Operator* next_ = nullptr;
  RefusalHandler* refusals_ = nullptr;
};

}  // namespace weir
