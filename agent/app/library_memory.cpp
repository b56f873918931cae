#include "agent/app/library_memory.h"

#include <algorithm>
#include <string>

#include "connectors/codecs/json_decoder.h"

namespace weir {
namespace {

// A PUBACK that waits in libmosquitto's queue: its packet structure and 4 bytes, as malloc rounds them.
constexpr size_t queued_acknowledgement_bytes = 144;
// A published message in flight, besides its topic and payload.
constexpr size_t in_flight_bytes = 512;
constexpr size_t in_flight_max = 100;
constexpr size_t thread_stack_bytes = 64 * 1024;  // touched, of the address space that a stack has

// What an agent with hardly any pipeline has resident (`./dev bench size`), rounded up: the program, its libraries' pages and
// SQLite's cache.
constexpr uint64_t program_bytes = 8 << 20;

}  // namespace

std::vector<Pool> library_memory(const Specification& specification) {
  std::vector<Pool> pools;
  for (const PipelineSpec& pipeline : specification.pipeline) {
    size_t acknowledgements = as_size(pipeline.first_source().max_unacked * queued_acknowledgement_bytes);
    pools.push_back({pipeline.name + ".source.mqtt",
                     std::to_string(pipeline.first_source().max_unacked) + " acknowledgements that wait for their checkpoint",
                     acknowledgements});
    pools.push_back({pipeline.name + ".source.message", "one message of max_message, as the library reads it",
                     as_size(2 * pipeline.first_source().max_message)});
    pools.push_back({pipeline.name + ".source.json", "simdjson's buffers for max_message, touched as far as messages need them",
                     JsonDecoder::memory_bytes(as_size(pipeline.first_source().max_message))});
    pools.push_back({pipeline.name + ".sink.mqtt", std::to_string(in_flight_max) + " results in flight, besides their text",
                     in_flight_max * in_flight_bytes});
  }
  pools.push_back({"threads", "the stack that the storage thread touches", thread_stack_bytes});
  if (std::ranges::any_of(specification.pipeline, &PipelineSpec::has_journal))
    pools.push_back({"threads.journal", "the stack that the journals' thread touches", thread_stack_bytes});
  return pools;
}

uint64_t whole_memory(const Specification& specification, uint64_t reserved) {
  uint64_t bytes = reserved + program_bytes;
  for (const Pool& pool : library_memory(specification)) bytes += pool.bytes;
  return bytes;
}

}  // namespace weir
