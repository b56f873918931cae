// Shedding: the choice to leave messages out when a pipeline cannot keep up. Without it everything waits at the broker, as long
// as the broker keeps it.
//
// A source is behind while messages wait for it: a portion was used up and more was there, or the pipeline has no room. When it
// has been behind for `after_ms` without a break, messages are shed until none waits. The broker may be slower than the
// shedding, so that none waits for a moment although many will come; therefore the next time that the source is behind it has
// only probation_ms, until it has kept up for `after_ms`. Under a load that stays too high the pipeline thus works all the
// time, at messages that are not older than that.
//
//   keeps up --behind for after_ms--> sheds --none waits--> on probation --kept up for after_ms--> keeps up
//                                       ^                        |
//                                       +--behind for 100 ms-----+
//
// Value type of a source; pure, time is an argument (CLOCK_BOOTTIME).
#pragma once

#include <cstdint>

namespace weir {

struct ShedPolicy {
  /// Oldest: all that waits. Newest: only what comes while the pipeline has no room. Sample: all but one of `one_of`.
  enum class Kind : uint8_t { Never, Oldest, Newest, Sample };
  Kind kind = Kind::Never;
  int64_t after_ms = 5000;
  uint32_t one_of = 10;
};

class Shedding {
 public:
  static constexpr int64_t probation_ms = 100;

  explicit Shedding(const ShedPolicy& policy) : policy_(policy) {}

  bool enabled() const { return policy_.kind != ShedPolicy::Kind::Never; }
  /// Messages wait, or may wait, and are not read.
  void on_behind(int64_t boot_ms);
  /// None waits. Without room that says nothing: what comes next would have to wait.
  void on_drained(bool has_room);

  bool behind() const { return behind_since_ms_ >= 0; }
  /// Whether messages are to be read even if there is no room for them.
  bool active(int64_t boot_ms) const;
  /// What becomes of the message at hand: true: it is taken. Requires room, or active().
  bool takes(bool has_room, int64_t boot_ms);

  uint64_t count() const { return count_; }
  /// Sheds, or has not kept up for long enough since.
  bool shows() const { return shed_at_ms_ >= 0; }
  /// It has just begun, or ended: true once each.
  bool begun();
  bool ended(int64_t boot_ms);

 private:
  bool on_probation(int64_t boot_ms) const;

  ShedPolicy policy_;
  int64_t behind_since_ms_ = -1;
  int64_t shed_at_ms_ = -1;  // the newest that was shed; -1: none since it last kept up
  uint32_t in_sample_ = 0;
  uint64_t count_ = 0;
  bool tell_ = false;
};

}  // namespace weir
