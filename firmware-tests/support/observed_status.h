// ObservedAgent: the agent's `status --json` as a plain structure, for tests to compare. Fields that are missing in the text
// stay at their defaults; text that is no JSON object is an error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/status.h"
#include "agent/model/ledger.h"

namespace weir {

struct ObservedLink {
  uint64_t lost = 0;
  uint64_t takeovers = 0;
  uint64_t closed_early = 0;
  uint64_t failed_attempts = 0;
  int64_t since_ms = 0;
  int64_t next_try_ms = 0;
};

struct ObservedPipeline {
  std::string name;
  std::string state;
  std::optional<int64_t> watermark_ms;
  struct {
    bool connected = false;
    bool idle = false;
    bool shedding = false;
    uint64_t unacknowledged = 0;
    uint64_t offset = 0;
    uint64_t connects = 0;
    std::string error;
    ObservedLink link;
  } source;
  Ledger ledger;
  int64_t imbalance = 0;  // as the agent computed it
  std::map<std::string, uint64_t> dead_letter_reasons;
  struct {
    uint64_t last_id = 0;
    std::string last_reason;
    double last_duration_ms = 0;
    uint64_t completed = 0;
    uint64_t failed = 0;
    int64_t age_ms = 0;
    bool in_progress = false;
  } checkpoint;
  struct {
    uint64_t checkpoint_id = 0;
    double open_ms = 0;
    double restore_ms = 0;
    double connect_ms = 0;
    double total_ms = 0;
    uint64_t lost_newest_id = 0;  // 0: nothing was lost
    int64_t lost_messages = 0;
    std::string lost_damage;
    std::string lost_copy;
  } recovery;
  struct {
    bool connected = false;
    uint64_t published = 0;
    uint64_t in_flight = 0;
    uint64_t connects = 0;
    ObservedLink link;
  } sink;
  struct {
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t waiting_blobs = 0;
  } outbox;
};

struct ObservedAgent {
  std::string version;
  std::string name;
  int64_t pid = 0;
  int64_t uptime_ms = 0;
  bool ready = false;
  struct {
    uint64_t reserved = 0;
    uint64_t limit = 0;
    uint64_t rss = 0;
    bool heap_guard = false;  // whether this build counts allocations
    uint64_t weir_allocations = 0;
    uint64_t mosquitto_allocations = 0;
    uint64_t sqlite_allocations = 0;
    uint64_t system_allocations = 0;
    uint64_t sqlite_limit = 0;
    uint64_t sqlite_peak = 0;
    uint64_t sqlite_refused = 0;
  } memory;
  std::vector<ObservedPipeline> pipelines;

  /// The pipeline of this name; an empty one if there is none.
  ObservedPipeline pipeline(std::string_view pipeline_name) const;
};

Result<ObservedAgent> parse_status(const std::string& json);

/// `weir plan --json`.
struct ObservedPool {
  std::string name;
  uint64_t bytes = 0;
  std::string reason;
};
struct ObservedBill {
  uint64_t reserved = 0;
  std::vector<ObservedPool> pools;
};
Result<ObservedBill> parse_bill(const std::string& json);

}  // namespace weir
