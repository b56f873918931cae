#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/library_memory.h"
#include "agent/base/text_writer.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir plan [CONFIG...] [--set KEY=VALUE]... [--json]\n\n"
    "Prints the memory that `weir run` reserves with this configuration: every pool in bytes, with its reason. The sum is\n"
    "exact: a running agent reports the same number as `reserved`. Exit codes: 0, 78 if it exceeds agent.memory_limit.\n";

std::string json_string(const std::string& text) {
  std::string buffer(text.size() * 6 + 2, '\0');
  TextWriter out(buffer);
  out.append_json_string(text);
  return std::string(out.text());
}

void print_json(const Built& built) {
  const Arena& arena = built.agent->arena();
  printf("{\"reserved\":%zu,\"limit\":%llu,\"pools\":[", arena.used(),
         static_cast<unsigned long long>(built.config.specification.agent.memory_limit));
  const char* comma = "";
  for (const Pool& pool : arena.pools()) {
    printf("%s{\"name\":%s,\"bytes\":%zu,\"reason\":%s}", comma, json_string(pool.name).c_str(), pool.bytes,
           json_string(pool.reason).c_str());
    comma = ",";
  }
  printf("]}\n");
}

void print_text(const Built& built) {
  const Arena& arena = built.agent->arena();
  printf("%12s  %-36s %s\n", "bytes", "pool", "why");
  for (const Pool& pool : arena.pools()) printf("%12zu  %-36s %s\n", pool.bytes, pool.name.c_str(), pool.reason.c_str());
  printf("%12zu  reserved, of %llu that agent.memory_limit allows\n\n", arena.used(),
         static_cast<unsigned long long>(built.config.specification.agent.memory_limit));
  printf("On top of that, not reserved but bounded by how the libraries are driven:\n");
  for (const Pool& pool : library_memory(built.config.specification))
    printf("%12zu  %-36s %s\n", pool.bytes, pool.name.c_str(), pool.reason.c_str());
}

}  // namespace

int command_plan(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "json"});
  if (!line.error.empty()) return usage_error("plan", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::unique_ptr<Built> built = build_from(line, false);
  if (built->exit_code != exit_ok) return built->exit_code;
  line.json ? print_json(*built) : print_text(*built);
  return fits_memory_limit(*built) ? exit_ok : exit_config;
}

}  // namespace weir
