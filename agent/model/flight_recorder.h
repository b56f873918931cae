// The flight recorder's seam: where the reactor's parts note what they are doing, so that whoever comes after a death can read
// it. A note of an event is a few stores; a note of the message in hand is five. Without a recorder (tests, replay) the same
// calls go to FlightRecorder::none() and to memory of the pipeline's own.
//
// The structures lie in memory that is shared with a file and outlives the process (runtime/black_box.h); they hold no pointers
// and are the same on every architecture. Written by the reactor thread only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/clock.h"

namespace weir {

/// Numbers are stored: never reuse one.
enum class FlightEvent : uint32_t {
  None = 0,
  Started = 1,  // first: pid
  Stopping = 2,
  Connected = 3,  // first: how often in all
  Disconnected = 4,
  CheckpointBegun = 5,      // first: id, second: messages that it covers, as the source's offset
  CheckpointCompleted = 6,  // first: id, second: offset
  CheckpointFailed = 7,     // first: id, text: why
  SessionLost = 8,
  PipelineFailed = 9,  // text: why
  Poison = 10,         // first: offset, second: deaths
  Recovered = 11,      // first: checkpoint id, second: ms
  Stuck = 12,          // text: what
};
const char* flight_event_name(FlightEvent event);

class FlightRecorder {
 public:
  virtual ~FlightRecorder() = default;
  /// `text` is cut to some 40 bytes.
  virtual void note(FlightEvent event, std::string_view pipeline, Now now, uint64_t first = 0, uint64_t second = 0,
                    std::string_view text = {}) {
    (void)event, (void)pipeline, (void)now, (void)first, (void)second, (void)text;
  }
  /// Notes nothing.
  static FlightRecorder& none();
};

/// The message that a pipeline is working at. The process may end between any two stores.
struct InHand {
  uint32_t busy;  // 1: inside of a decoder, a step or the sink
  uint32_t step;  // 0: the source's decoder, then the steps in their order; one more than they are: the sink
  uint64_t offset;
  uint64_t hash;   // message_hash()
  uint64_t check;  // of offset and hash

  static constexpr uint64_t check_of(uint64_t offset, uint64_t hash) { return ~(offset * 0x9E3779B97F4A7C15U ^ hash); }
  void begin(uint64_t message_offset, uint64_t message_hash) {
    busy = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    offset = message_offset;
    hash = message_hash;
    check = check_of(message_offset, message_hash);
    step = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    busy = 1;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  void end() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    busy = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  /// Whether it tells of a message that was really being worked at.
  bool sound() const { return busy == 1 && check == check_of(offset, hash); }
};

/// A message that was in hand when the process died.
struct PoisonSuspect {
  uint64_t offset;
  uint64_t hash;
  uint32_t deaths;  // in a row with this message in hand; 0: none is suspected
  uint32_t step;    // where the last one was, as in InHand
};

/// What is kept of a pipeline from one process to the next, beside its checkpoints.
struct PipelineTrace {
  static constexpr size_t steps_max = 32;
  static constexpr size_t name_bytes = 64;
  static constexpr size_t step_name_bytes = 24;

  std::array<char, name_bytes> name;  // empty: a free place
  InHand in_hand;
  uint64_t newest_offset;      // that was taken in
  uint64_t checkpoint_id;      // the newest completed one
  uint64_t checkpoint_offset;  // the newest message that it covers
  int64_t checkpoint_boot_ms;  // when it was completed; meaningful in that boot
  PoisonSuspect suspect;
  int64_t poison_hour_boot_ms;  // when the hour began in which these were set aside
  uint32_t poison_in_hour;
  uint32_t step_count;
  std::array<std::array<char, step_name_bytes>, steps_max> steps;
};

/// The step of that number, as in InHand.
std::string_view step_name(const PipelineTrace& trace, uint32_t step);

/// Tells a message: topic and payload.
uint64_t message_hash(std::string_view topic, std::span<const uint8_t> payload);

/// Copies and always ends with a zero.
void copy_cut(std::span<char> to, std::string_view text);
/// Up to the first zero, or all of it.
std::string_view text_in(std::span<const char> text);

}  // namespace weir
