#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/library_memory.h"
#include "agent/app/plan_checkpoints.h"
#include "agent/base/json_string.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir plan [CONFIG...] [--set KEY=VALUE]... [--target-recovery 30s] [--flash 8GB] [--rate 100] [--json | "
    "--systemd]\n\n"
    "Prints the memory that `weir run` reserves with this configuration: every pool in bytes, with its reason. The sum is\n"
    "exact: a running agent reports the same number as `reserved`. Then what checkpoints write and what a failure costs, and\n"
    "the interval that fits:\n"
    "  --target-recovery 30s  a crash must be made good within this time\n"
    "  --flash 8GB            what lies under the state directory, of 3,000 erase cycles\n"
    "  --life 10              years that it has to last\n"
    "  --rate 100             messages per second of each pipeline\n"
    "  --replay-rate 5000     messages per second that it takes in when it catches up\n"
    "  --commit 30ms          how long a checkpoint stalls the pipeline (`weir checkpoint list` shows it: T_sync + T_async)\n"
    "  --message 150B         topic and payload of a message, as a journal records them\n"
    "  --mtbf 7d              from one failure to the next\n"
    "  --systemd              instead of all that, a drop-in for the unit with the memory that systemd should allow\n"
    "Exit codes: 0, 78 if the memory exceeds agent.memory_limit.\n";

void print_json(const Built& built, const CheckpointPlanInput& said) {
  const Arena& arena = built.agent->arena();
  printf("{\"reserved\":%zu,\"limit\":%llu,\"pools\":[", arena.used(),
         static_cast<unsigned long long>(built.config.specification.agent.memory_limit));
  const char* comma = "";
  for (const Pool& pool : arena.pools()) {
    printf("%s{\"name\":%s,\"bytes\":%zu,\"reason\":%s}", comma, json_string(pool.name).c_str(), pool.bytes,
           json_string(pool.reason).c_str());
    comma = ",";
  }
  printf("],\"checkpoints\":[");
  print_checkpoint_plans(built, said, true);
  printf("]}\n");
}

void print_text(const Built& built, const CheckpointPlanInput& said) {
  const Arena& arena = built.agent->arena();
  printf("%12s  %-36s %s\n", "bytes", "pool", "why");
  for (const Pool& pool : arena.pools()) printf("%12zu  %-36s %s\n", pool.bytes, pool.name.c_str(), pool.reason.c_str());
  printf("%12zu  reserved, of %llu that agent.memory_limit allows\n\n", arena.used(),
         static_cast<unsigned long long>(built.config.specification.agent.memory_limit));
  printf("On top of that, not reserved but bounded by how the libraries are driven:\n");
  for (const Pool& pool : library_memory(built.config.specification))
    printf("%12zu  %-36s %s\n", pool.bytes, pool.name.c_str(), pool.reason.c_str());
  print_checkpoint_plans(built, said, false);
}

/// A half above what the agent can come to: the kernel counts the pages of files that it has just written as its own.
void print_drop_in(const Built& built) {
  const uint64_t reserved = built.agent->arena().used();
  const uint64_t needed = whole_memory(built.config.specification, reserved);
  const auto mebibytes = [](uint64_t bytes) { return static_cast<unsigned long long>((bytes + (1 << 20) - 1) >> 20); };
  printf(
      "# /etc/systemd/system/weir.service.d/memory.conf, then: systemctl daemon-reload && systemctl restart weir\n"
      "# %llu bytes are reserved, with the program and the libraries it is %llu MiB at most; here is half as much again,\n"
      "# for the pages of files. A reload that changes a pipeline has the old and the new one at once: allow for that too.\n"
      "[Service]\n"
      "MemoryMax=%lluM\n",
      static_cast<unsigned long long>(reserved), mebibytes(needed), mebibytes(needed + needed / 2));
}

}  // namespace

int command_plan(int count, char** arguments) {
  std::vector<std::string> options = checkpoint_plan_options;
  options.insert(options.end(), {"set", "json", "systemd!"});
  CommandLine line = parse_command_line(count, arguments, options);
  const CheckpointPlanInput said = checkpoint_plan_input(line, line.error);
  if (!line.error.empty()) return usage_error("plan", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::unique_ptr<Built> built = build_from(line, false);
  if (built->exit_code != exit_ok) return built->exit_code;
  if (line.flags.contains("systemd"))
    print_drop_in(*built);
  else
    line.json ? print_json(*built, said) : print_text(*built, said);
  return fits_memory_limit(*built) ? exit_ok : exit_config;
}

}  // namespace weir
