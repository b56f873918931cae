#include "agent/app/journal_plan.h"

#include <algorithm>
#include <cmath>

#include "storage/journal_format.h"

namespace weir {
namespace {

constexpr double record_bytes = 18;  // of a message, besides topic and payload
constexpr double day_s = 86'400;

}  // namespace

JournalPlan plan_journal(const JournalPlanInput& input) {
  JournalPlan plan;
  const double gathered = std::min(input.messages_max, std::max(1.0, input.messages_per_s * input.linger_s));
  plan.groups_per_s = input.messages_per_s / gathered;
  const double raw = journal_header_bytes + gathered * (record_bytes + input.message_bytes);
  const double group_bytes = std::ceil(raw / journal_block_bytes) * journal_block_bytes;
  plan.bytes_per_message = group_bytes / gathered;
  const double bytes_per_s = plan.groups_per_s * group_bytes;
  plan.bytes_per_day = bytes_per_s * day_s;
  plan.reach_s = input.ring_bytes / bytes_per_s;
  plan.interval_most_s = plan.reach_s / (2 * input.checkpoints_retained);
  plan.at_risk = gathered;
  return plan;
}

}  // namespace weir
