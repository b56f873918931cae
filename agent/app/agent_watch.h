// AgentWatch: what the watchdog watches of an agent: the reactor, the storage and journal threads, the connections of every
// pipeline, and the main thread while it starts and ends. Owned by the agent; begin() before the state is opened, end() last.
// Its memory is taken from the arena when it is made.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "agent/base/arena.h"
#include "agent/config/spec.h"
#include "agent/runtime/black_box.h"
#include "agent/runtime/watchdog_thread.h"
#include "agent/runtime/work_mark.h"

namespace weir {

class AgentWatch final : private WorkDescriber {
 public:
  /// `slots`: pipelines that there can be at a time. Each has a slot, which it may leave to another.
  AgentWatch(Arena& arena, const Specification& specification, size_t slots);

  /// Watches `reactor` and the main thread, which calls this, and starts the thread if there is anybody to tell or the
  /// configuration asks for it. `reactor` must outlive end().
  Status begin(const Pulse& reactor);
  /// Of the threads that wait for the disk.
  Pulse& storage() { return storage_; }
  Pulse& journal() { return journal_; }
  /// The main thread starts or ends, and has got on with it.
  void step() { main_.step(); }
  /// From here on the reactor runs, or does not any more.
  void reactor_runs();
  void reactor_stops();
  /// An orderly end has begun, which may take long.
  void ask_for_time() { thread_.ask_for_time(managed_); }
  void end();
  /// Where it is noted what is stuck, for the next start to tell; nullptr: nowhere. It must outlive end().
  void note_stuck_in(BlackBox* box) { box_.store(box); }

  /// How often the reactor must turn at least, ms; INT64_MAX: nobody watches.
  int64_t turn_every_ms() const { return thread_.started() ? monitor_.period_ms() : INT64_MAX; }
  /// What a storage job may take, ms; INT64_MAX: nobody watches.
  int64_t disk_bound_ms() const;
  /// The pipeline that the slot stands for from here on; empty: none.
  void name_slot(size_t slot, std::string_view pipeline);
  /// The loops of the pipeline's connections have run; to be called once a second, or while the pipeline has none to run.
  void connections_ran(size_t slot) { connections_[slot].step(); }
  WorkMark& mark(size_t slot) { return marks_[slot]; }

 private:
  void describe_work(const WatchdogMonitor::Part& part, TextWriter& out) override;
  void work_goes_on() override;

  using SlotName = std::array<char, PipelineTrace::name_bytes>;
  SlotName slot_name(size_t slot);

  const int64_t watchdog_ms_;  // as configured
  const int64_t disk_ms_;
  std::mutex names_mutex_;
  std::vector<SlotName> names_;  // of the pipelines, by slot
  std::span<Pulse> connections_;
  std::span<WorkMark> marks_;
  bool managed_ = false;  // there is a service manager
  Pulse main_;
  Pulse storage_;
  Pulse journal_;
  std::atomic<BlackBox*> box_{nullptr};
  WatchdogMonitor monitor_;
  WatchdogThread thread_;
};

}  // namespace weir
