// BlackBox: `weir.blackbox` in the state directory, the flight recorder. A file of fixed size, mapped into memory, so that what
// was noted survives the process however it ended. It holds this run and the one before (who, when, how it ended, the stack of
// a crash), a trace of each pipeline (the message in hand, the newest checkpoint), the last incident, and a ring of the newest
// events. Events carry a CRC, since a power cut may leave half a page; after one (another boot id) no trace is believed.
//
// The memory belongs to whoever maps the file and outlives this. Reactor thread, but for mark_stuck() (the watchdog's) and
// the crash handler, which write places of their own. Never allocates.
#pragma once

#include <csignal>
#include <span>

#include "agent/base/function_ref.h"
#include "agent/base/status.h"
#include "agent/model/flight_recorder.h"

namespace weir {

enum class RunEnd : uint32_t { Unknown = 0, Orderly = 1, Failed = 2 };

/// Written by the signal handler.
struct CrashRecord {
  static constexpr size_t frames_max = 32;
  int32_t signal;  // 0: none
  int32_t code;    // si_code
  uint64_t address;
  int64_t boot_ms;
  uint32_t thread;  // the kernel's number
  uint32_t frame_count;
  std::array<uint64_t, frames_max> frames;  // addresses, innermost first
};

/// Where a file of code lay, so that an address can be told as the offset that addr2line takes.
struct CodeModule {
  uint64_t begin;
  uint64_t end;
  std::array<char, 48> name;
};

struct FlightRun {
  static constexpr size_t modules_max = 24;
  std::array<char, 40> boot_id;
  std::array<char, 24> version;
  uint32_t pid;  // 0: there was no such run
  RunEnd end;
  int64_t start_wall_ms;
  int64_t start_boot_ms;
  int64_t alive_boot_ms;  // the last sign of life
  uint64_t oom_kills;     // of the machine, when the run began
  CrashRecord crash;
  std::array<char, 200> stuck;  // what the watchdog found stuck; empty: nothing
  uint32_t module_count;
  uint32_t unused;
  std::array<CodeModule, modules_max> modules;
};

enum class DeathCause : uint32_t { None = 0, Signal = 1, Watchdog = 2, OutOfMemory = 3, Machine = 4, Failure = 5, Unknown = 6 };
const char* death_cause_name(DeathCause cause);

/// A death and the recovery from it. The times are those of "T_recovery" (CLOCK_BOOTTIME, ms): f0 the last sign of life, f1 the
/// signal where one was seen, else f0, f2 the start of the next process, f3 all restored, f4 all taken in again that had been:
/// T_detect = f1-f0, T_down = f2-f1, T_restore = f3-f2, T_replay = f4-f3, T_recovery = f4-f0. T_fault_tolerance is T_recovery
/// and what was not covered at f0: the time since the newest checkpoint of the pipeline that had waited longest for one, of
/// those that had taken in a message since. -1: not known, or not yet.
struct Incident {
  DeathCause cause;
  int32_t signal;
  int64_t wall_ms;  // about when
  uint32_t pid;
  uint32_t step;                                         // as in InHand
  std::array<char, PipelineTrace::name_bytes> pipeline;  // that had a message in hand; empty: none
  std::array<char, PipelineTrace::step_name_bytes> step_name;
  uint64_t offset;
  uint64_t hash;
  uint32_t deaths;  // in a row with this message in hand
  uint32_t unused;
  int64_t detect_ms;
  int64_t down_ms;
  int64_t restore_ms;
  int64_t replay_ms;
  int64_t uncovered_ms;

  int64_t fault_tolerance_ms() const { return uncovered_ms < 0 || recovery_ms() < 0 ? -1 : uncovered_ms + recovery_ms(); }
  int64_t recovery_ms() const {
    return detect_ms < 0 || down_ms < 0 || restore_ms < 0 || replay_ms < 0 ? -1 : detect_ms + down_ms + restore_ms + replay_ms;
  }
};

struct FlightRecord {
  uint32_t crc;
  FlightEvent event;
  uint64_t number;  // 1, 2, 3, ... ; where it lies follows from it
  int64_t boot_ms;
  int64_t wall_ms;
  uint64_t first;
  uint64_t second;
  std::array<char, 32> pipeline;
  std::array<char, 48> text;
};

class BlackBox final : public FlightRecorder {
 public:
  static constexpr size_t pipelines_max = 64;
  static constexpr size_t records_max = 256;
  static constexpr const char* file_name = "weir.blackbox";
  static size_t bytes();

  /// `memory`: bytes() of it, aligned as mmap does it.
  explicit BlackBox(std::span<uint8_t> memory);

  /// Whether it was ever written, by a weir that writes it as this one does.
  bool sound() const;
  const FlightRun& run() const;
  const FlightRun& previous_run() const;
  const Incident& incident() const;
  Incident& incident();
  std::span<const PipelineTrace> traces() const;
  /// The newest records, oldest first; torn ones are left out.
  void each_record(FunctionRef<void(const FlightRecord&)> visit) const;

  struct Start {
    std::string_view boot_id;
    std::string_view version;
    uint32_t pid = 0;
    uint64_t oom_kills = 0;
  };
  /// A new run begins: judges how the last one ended, counts a message that was in hand as a suspect, and makes ready for this
  /// run. Returns whether the last one died; then incident() tells of it.
  bool begin_run(const Start& start, Now now);
  /// That of the pipeline; a free one, cleared, if it has none. nullptr: there are too many.
  PipelineTrace* trace(std::string_view pipeline);
  void alive(int64_t boot_ms);
  void end_run(RunEnd end, Now now);
  void note(FlightEvent event, std::string_view pipeline, Now now, uint64_t first, uint64_t second,
            std::string_view text) override;
  /// From the watchdog's thread: this is why it is about to abort.
  void mark_stuck(std::string_view text);
  /// Where the crash handler writes.
  FlightRun& crashing_run();

 private:
  struct Layout;
  DeathCause judge(const Start& start) const;
  void open_incident(DeathCause cause, Now now, bool same_boot);
  int64_t uncovered_ms() const;
  void count_suspects();

  Layout* layout_;
};

}  // namespace weir
