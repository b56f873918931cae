#include "agent/app/plan_checkpoints.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "agent/app/journal_plan.h"
#include "agent/app/plan_triggers.h"
#include "agent/config/quantity.h"

namespace weir {

const std::vector<std::string> checkpoint_plan_options = {"target-recovery", "flash", "rate", "replay-rate", "mtbf", "life",
                                                          "message",         "commit"};

namespace {

void take_duration(const CommandLine& line, const char* name, double& seconds, std::string& error) {
  const auto found = line.values.find(name);
  if (found == line.values.end()) return;
  const Quantity quantity = parse_duration(found->second);
  if (!quantity.problem.empty() || quantity.value <= 0) error = std::string("--") + name + " takes a duration, for example 30s";
  seconds = static_cast<double>(quantity.value) / 1000;
}

void take_number(const CommandLine& line, const char* name, double& number, std::string& error) {
  const auto found = line.values.find(name);
  if (found == line.values.end()) return;
  const std::string& text = found->second;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || !(number > 0))
    error = std::string("--") + name + " takes a number greater than 0";
}

JournalPlanInput journal_input_of(const CheckpointPlanInput& said, const PipelineSpec& spec) {
  JournalPlanInput input;
  input.messages_per_s = said.messages_per_s;
  input.message_bytes = said.message_bytes;
  input.linger_s = static_cast<double>(spec.first_source().journal.linger) / 1000;
  input.messages_max = static_cast<double>(spec.first_source().max_unacked) / 2;
  input.ring_bytes = static_cast<double>(spec.first_source().journal.size);
  input.checkpoints_retained = static_cast<double>(spec.checkpoint.retained);
  return input;
}

/// What the configuration says of a pipeline.
CheckpointPlanInput input_of(const CheckpointPlanInput& said, const PipelineSpec& spec, const Pipeline& pipeline) {
  CheckpointPlanInput input = said;
  const CheckpointPolicy policy = checkpoint_policy(spec);
  input.min_pause_s = static_cast<double>(policy.min_pause_ms) / 1000;
  input.window = static_cast<double>(policy.unacked);
  if (spec.has_journal() && spec.checkpoint.unacked == 0) {
    input.window = plan_journal(journal_input_of(said, spec)).interval_most_s * said.messages_per_s;
    input.window_why = "room in the journal (journal.size, checkpoint.retained)";
  }
  input.configured_s = policy.interval_ms > 0 ? static_cast<double>(policy.interval_ms) / 1000 : INFINITY;
  if (policy.records > 0)
    input.configured_s = std::min(input.configured_s, static_cast<double>(policy.records) / said.messages_per_s);
  input.state_bytes = static_cast<double>(pipeline.keyed_bytes().state);
  input.entry_bytes = static_cast<double>(pipeline.keyed_bytes().entry);
  return input;
}

std::string seconds_text(double seconds) {
  char text[40];
  if (!std::isfinite(seconds)) return "never";
  if (seconds < 10)
    snprintf(text, sizeof text, "%.2f s", seconds);
  else if (seconds < 600)
    snprintf(text, sizeof text, "%.0f s", seconds);
  else
    snprintf(text, sizeof text, "%.0f min", seconds / 60);
  return text;
}

void print_forecast(const char* name, const CheckpointForecast& made) {
  printf("  %-12s every %s: %.0f kB each, %.2f GB a day", name, seconds_text(made.interval_s).c_str(),
         made.bytes_per_checkpoint / 1e3, made.bytes_per_day / 1e9);
  if (made.flash_years > 0) printf(", the flash lasts %.1f years", made.flash_years);
  printf("\n               T_checkpoint %s, T_recovery %s, T_fault_tolerance %s\n", seconds_text(made.interval_s).c_str(),
         seconds_text(made.recovery_s).c_str(), seconds_text(made.fault_tolerance_s).c_str());
}

void print_text(const std::string& name, const CheckpointPlanInput& input, const CheckpointPlan& plan) {
  printf("\nCheckpoints of %s at %.0f messages/s, %.0f/s when it catches up, %.0f kB of state:\n", name.c_str(),
         input.messages_per_s, input.replayed_per_s, input.state_bytes / 1e3);
  for (const CheckpointBound& bound : plan.bounds)
    printf("  %-12s %-9s %s\n", bound.least ? "at least" : "at most", seconds_text(bound.seconds).c_str(), bound.why.c_str());
  print_forecast("configured", plan.configured);
  if (plan.recommended_s > 0) {
    print_forecast("recommended", plan.recommended);
    printf("               decided by %s\n", plan.binding.c_str());
  } else {
    printf("  %-12s there is none: %s\n", "recommended", plan.binding.c_str());
  }
}

void print_loss(const CheckpointPlanInput& input, const CheckpointPlan& plan) {
  printf(
      "  A power cut that takes the broker with it loses what came since the last checkpoint, up to %.0f messages; one that\n"
      "  spares the broker loses none (QoS 1).\n",
      std::min(input.window, plan.configured.interval_s * input.messages_per_s));
}

void print_journal(const CheckpointPlanInput& said, const PipelineSpec& spec) {
  const JournalPlan plan = plan_journal(journal_input_of(said, spec));
  const double keep_s = static_cast<double>(spec.first_source().journal.keep) / 1000;
  printf("  journal      %.1f groups a second, for messages of %.0f bytes: %.0f bytes each on the flash, %.2f GB a day;\n",
         plan.groups_per_s, said.message_bytes, plan.bytes_per_message, plan.bytes_per_day / 1e9);
  printf("               it reaches back %s", seconds_text(plan.reach_s).c_str());
  if (keep_s > plan.reach_s)
    printf("; journal.keep = %s would take journal.size = %.0f MiB", seconds_text(keep_s).c_str(),
           std::ceil(plan.bytes_per_day / 86'400 * keep_s / (1 << 20)));
  printf(
      "\n  A power cut loses at most what came within journal.linger, up to %.0f messages: at QoS 1 the broker sends it "
      "again,\n"
      "  unless the cut takes the broker's memory, too.\n",
      plan.at_risk);
}

void print_journal_json(const CheckpointPlanInput& said, const PipelineSpec& spec) {
  const JournalPlan plan = plan_journal(journal_input_of(said, spec));
  printf(
      ",\"journal\":{\"groups_per_s\":%.3f,\"bytes_per_message\":%.1f,\"bytes_per_day\":%.0f,\"reach_s\":%.1f,\"at_risk\":%."
      "0f}",
      plan.groups_per_s, plan.bytes_per_message, plan.bytes_per_day, plan.reach_s, plan.at_risk);
}

void print_forecast_json(const char* name, const CheckpointForecast& made) {
  const auto number = [](double value) { return std::isfinite(value) ? value : -1; };
  printf(
      "\"%s\":{\"interval_s\":%.3f,\"bytes\":%.0f,\"bytes_per_day\":%.0f,\"flash_years\":%.3f,\"recovery_s\":%.3f,\"fault_"
      "tolerance_s\":%.3f}",
      name, number(made.interval_s), made.bytes_per_checkpoint, made.bytes_per_day, made.flash_years, number(made.recovery_s),
      number(made.fault_tolerance_s));
}

void print_json(const std::string& name, const CheckpointPlan& plan) {
  printf("{\"pipeline\":\"%s\",", name.c_str());
  print_forecast_json("configured", plan.configured);
  if (plan.recommended_s > 0) {
    printf(",");
    print_forecast_json("recommended", plan.recommended);
  }
  printf(",\"bounds\":[");
  const char* comma = "";
  for (const CheckpointBound& bound : plan.bounds) {
    printf("%s{\"%s_s\":%.3f,\"why\":\"%s\"}", comma, bound.least ? "least" : "most", bound.seconds, bound.why.c_str());
    comma = ",";
  }
  printf("],\"binding\":\"%s\"", plan.binding.c_str());
}

}  // namespace

CheckpointPlanInput checkpoint_plan_input(const CommandLine& line, std::string& error) {
  CheckpointPlanInput input;
  take_duration(line, "target-recovery", input.target_recovery_s, error);
  take_duration(line, "mtbf", input.time_between_failures_s, error);
  take_duration(line, "commit", input.commit_s, error);
  take_number(line, "rate", input.messages_per_s, error);
  take_number(line, "replay-rate", input.replayed_per_s, error);
  take_number(line, "life", input.life_years, error);
  if (const auto found = line.values.find("message"); found != line.values.end()) {
    const Quantity quantity = parse_size(found->second);
    if (!quantity.problem.empty() || quantity.value <= 0) error = "--message takes a size, for example 200B";
    input.message_bytes = static_cast<double>(quantity.value);
  }
  if (const auto found = line.values.find("flash"); found != line.values.end()) {
    const Quantity quantity = parse_size(found->second);
    if (!quantity.problem.empty() || quantity.value <= 0) error = "--flash takes a size, for example 8GB";
    input.flash_bytes = static_cast<double>(quantity.value);
  }
  return input;
}

void print_checkpoint_plans(const Built& built, const CheckpointPlanInput& said, bool json) {
  const std::vector<PipelineSpec>& specs = built.config.specification.pipeline;
  for (size_t index = 0; index < specs.size(); ++index) {
    const CheckpointPlanInput input = input_of(said, specs[index], *built.agent->hosts()[index]->pipeline());
    const CheckpointPlan plan = plan_checkpoints(input);
    if (json && index > 0) printf(",");
    const bool journal = specs[index].has_journal();
    if (json) {
      print_json(specs[index].name, plan);
      if (journal) print_journal_json(said, specs[index]);
      printf("}");
    } else {
      print_text(specs[index].name, input, plan);
      journal ? print_journal(said, specs[index]) : print_loss(input, plan);
    }
  }
}

}  // namespace weir
