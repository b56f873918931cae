// What a journal writes and how far it reaches, for `weir plan`. Arithmetic only. Start-up only.
#pragma once

#include <cstdint>

namespace weir {

struct JournalPlanInput {
  double messages_per_s = 100;
  double message_bytes = 150;  // topic and payload
  double linger_s = 0.1;
  double messages_max = 500;  // of one group
  double ring_bytes = 0;
  double checkpoints_retained = 2;
};

struct JournalPlan {
  double groups_per_s = 0;       // each one write and one fdatasync
  double bytes_per_message = 0;  // that are written, headers and padding to 4096 bytes included
  double bytes_per_day = 0;
  double reach_s = 0;          // how long the ring lasts
  double interval_most_s = 0;  // between two checkpoints, before one is asked for to make room
  double at_risk = 0;          // messages that a power cut takes which nobody sends again (QoS 0)
};

JournalPlan plan_journal(const JournalPlanInput& input);

}  // namespace weir
