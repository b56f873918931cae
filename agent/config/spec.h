// The specification: a configuration as typed values, with the place in the file that each came from. Member names equal the
// configuration's keys. Made once at start by load_config; the planner builds the pipelines from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/config_text.h"
#include "agent/model/source_field.h"
#include "agent/model/step_kind.h"
#include "agent/model/trigger_kind.h"

namespace weir {

/// Commands over MQTT; off where nothing is written.
struct ControlSpec {
  Text mqtt;
  Text topic;
  bool given = false;
};

struct AgentSpec {
  std::string name;  // default: the host's name
  std::string state_dir;
  uint64_t memory_limit = 0;  // bytes
  Location memory_limit_at;   // line 0: not written
  std::string on_corrupt;     // "refuse" or "fresh"
  std::string log_level;      // "error" "warning" "notice" "info" "debug"
  int64_t watchdog = 0;       // ms; 0: the agent does not end itself
  Location watchdog_at;       // line 0: not written
  ControlSpec control;
  Location at;
};

struct MqttSpec {
  std::string name;  // the key under [mqtt]
  std::string url;   // as written
  std::string host;  // from url
  uint16_t port = 1883;
  std::string mqtt;       // "5" or "3.1.1"
  std::string client_id;  // default: the agent's name; the pipeline's name is appended
  std::string username;
  std::string password;
  std::string password_file;
  int64_t keepalive = 0;         // ms
  int64_t session_expiry = 0;    // ms
  uint64_t max_packet_size = 0;  // bytes
  Location at;
};

struct CheckpointSpec {
  int64_t interval = 0;   // ms; 0: no timer
  int64_t min_pause = 0;  // ms
  bool skip_clean = true;
  std::string mode;          // "any" "all"
  uint64_t records = 0;      // 0: off
  uint64_t bytes = 0;        // 0: off
  uint64_t dirty_keys = 0;   // 0: off
  uint64_t dirty_bytes = 0;  // 0: four fifths of what a barrier can copy
  uint64_t unacked = 0;      // 0: half of the source's max_unacked
  uint64_t outbox_rows = 0;  // 0: off
  int64_t event_time = 0;    // ms; 0: off
  Text trigger;              // the name of a registered one; empty: none
  StepOptions options;       // its own
  Text when;                 // empty: none
  int64_t timeout = 0;       // ms
  uint64_t tolerable_failures = UINT64_MAX;
  int64_t max_age = 0;     // ms; 0: no limit
  std::string on_max_age;  // "alarm" "hold" "restart"
  uint64_t retained = 0;
  std::string durability;  // "power-loss" or "process-crash"
  Location at;
};

/// What each strategy does: runtime/restart_strategy.h.
struct RestartSpec {
  std::string strategy;  // "none" "fixed-delay" "exponential-delay" "failure-rate"
  uint64_t max_failures = 0;
  uint64_t attempts = 0;
  int64_t interval = 0;       // ms
  int64_t delay = 0;          // ms
  int64_t initial_delay = 0;  // ms
  int64_t max_delay = 0;      // ms
  double multiplier = 0;
  double jitter = 0;                   // of the delay
  int64_t reset_threshold = 0;         // ms
  uint64_t attempts_before_reset = 0;  // 0: no end
  uint64_t ceiling = 0;                // failures in ten minutes; 0: none
  Location at;
};

struct EventTimeSpec {
  Text field;
  int64_t max_delay = 0;   // ms
  int64_t idle = 0;        // ms; 0: never idle
  int64_t max_future = 0;  // ms ahead of the wall clock; 0: no limit
  Text per;                // the field whose values have clocks of their own; empty: one clock for all
  uint64_t max_devices = 0;
  bool given = false;
};

struct DeadLetterSpec {
  uint64_t max_rows = 0;
  uint64_t max_bytes = 0;    // of payloads, bytes
  uint64_t max_payload = 0;  // bytes kept of one payload
  std::string full;          // "oldest" "newest" "hold"
};

struct SourceJournalSpec {
  uint64_t size = 0;   // bytes of the ring
  int64_t linger = 0;  // ms
  int64_t keep = 0;    // ms
  bool given = false;
  Location at;
};

/// What each policy does: connectors/mqtt/shedding.h.
struct ShedSpec {
  std::string policy;  // "oldest" "newest" "sample"
  int64_t after = 0;   // ms
  uint64_t one_of = 0;
  bool given = false;
  Location at;
};

struct SourceSpec {
  std::string name;  // default: "source"
  Location name_at;
  Text mqtt;  // names an [mqtt.NAME]
  std::vector<Text> topics;
  std::string format;  // "json"
  std::vector<SourceField> fields;
  std::vector<Location> field_at;  // one per field
  EventTimeSpec event_time;
  uint64_t qos = 1;
  std::string ack;  // "checkpoint" or "journal"
  SourceJournalSpec journal;
  ShedSpec shed;
  std::string retained;              // "use" or "skip"
  std::string unsynchronised_clock;  // "use" "wait" "tag"
  uint64_t max_unacked = 0;
  uint64_t max_message = 0;  // bytes of one payload
  bool broken = false;       // something in it is wrong and has been reported
  Location at;
};

enum class StepVerb : uint8_t { None, Filter, Map, Select, Drop, Rename, Route, Union, Window, Registered };

/// The kind of a window and what else is said about it; of the kinds one is set.
struct WindowOptions {
  int64_t tumbling = 0;    // ms
  int64_t hopping = 0;     // ms: the size; with `every`
  int64_t cumulate = 0;    // ms: the size; with `every`
  Text offset;             // a duration, with or without a sign; empty: none
  int64_t offset_ms = 0;   // windows begin at multiples of their size, or of `every`, plus this
  Text time_zone;          // empty: UTC
  int64_t emit_every = 0;  // ms; 0: no early results
  int64_t empty = 0;       // ms; 0: windows without records are not handed on
  int64_t session = 0;     // ms: the gap
  int64_t sliding = 0;     // ms
  uint64_t count = 0;      // records
  Text open;               // with `close`
  Text close;
  int64_t every = 0;             // of `count`: records; of `hopping` and `cumulate`: ms
  bool emit_partial = false;     // of `count`
  bool include_close = true;     // of `open`
  uint64_t max_records = 0;      // of `sliding`
  int64_t max_duration = 0;      // ms; 0: no limit
  uint64_t max_sessions = 0;     // of `session`
  int64_t allowed_lateness = 0;  // ms
  std::string late;              // "drop" "side" "dead-letter"
  std::string time;              // "event" "processing"
  Location at;
};

struct StepSpec {
  std::string id;  // empty: none given
  Location id_at;
  std::string id_previous;  // the id that it had before
  Location id_previous_at;
  StepVerb verb = StepVerb::None;
  Text filter;
  std::vector<NamedExpression> map;
  std::vector<Text> select;
  std::vector<Text> drop;
  std::vector<NamedExpression> rename;  // old name, new name
  std::vector<NamedExpression> route;   // branch, condition
  std::vector<Text> unite;              // `union`: the outputs that come together
  Text from;                            // the output that it reads; empty: that of the step before
  std::vector<Text> key_by;
  WindowOptions window;
  std::vector<NamedExpression> aggregate;
  uint64_t max_keys = 0;
  std::string evict;               // "reject" "oldest" "emit"
  Text custom;                     // the name that `operator` gives
  const StepKind* kind = nullptr;  // of StepVerb::Registered
  StepOptions options;             // of StepVerb::Registered
  bool broken = false;             // something in it is wrong and has been reported
  Location at;
};

struct OutboxSpec {
  uint64_t memory = 0;     // bytes of results held in memory between two checkpoints
  uint64_t max_bytes = 0;  // bytes of results waiting on disk
};

struct SinkSpec {
  Text mqtt;
  Text from;             // the output that it sends; empty: that of the last step
  Text topic;            // a template: "alerts/{device}"
  std::string format;    // "json"
  std::string delivery;  // "exactly-once" "at-most-once"
  uint64_t qos = 1;
  bool retain = false;
  std::string id_field;  // payload field that repeats the weir-id; empty: none
  OutboxSpec outbox;
  Location at;
};

struct PipelineSpec {
  std::string name;
  Location name_at;
  CheckpointSpec checkpoint;
  RestartSpec restart;
  DeadLetterSpec dead_letters;
  uint64_t poison_after = 0;       // deaths in a row; 0: never
  uint64_t poison_per_hour = 0;    // set aside at most
  std::vector<SourceSpec> source;  // at least one; the connection is the first one's
  std::vector<StepSpec> step;
  SinkSpec sink;
  uint64_t fingerprint = 0;  // hash64 of the pipeline's own table as written
  Location at;

  /// Whether messages are acknowledged by the journal.
  bool has_journal() const { return !source.empty() && source.front().ack == "journal"; }
  /// The one that says how the broker is reached.
  const SourceSpec& first_source() const { return source.front(); }
};

struct Specification {
  AgentSpec agent;
  std::vector<MqttSpec> mqtt;
  std::vector<PipelineSpec> pipeline;
};

}  // namespace weir
