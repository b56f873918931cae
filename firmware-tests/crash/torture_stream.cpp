#include "firmware-tests/crash/torture_stream.h"

#include <cstring>

#include "firmware-tests/support/random.h"

namespace weir {
namespace {

constexpr int64_t first_event_ms = 1'700'000'000'000 / torture_constant_window_ms * torture_constant_window_ms;
constexpr uint64_t messages_per_event_ms = 4;
constexpr uint64_t constant_share = 4;
constexpr uint64_t constant_keys = 3;
constexpr int64_t value_max = 1000;
constexpr const char* closer_key = "closer";

std::string payload_of(uint64_t number, int64_t value, int64_t event_ms) {
  return "{\"number\":" + std::to_string(number) + ",\"value\":" + std::to_string(value) +
         ",\"ts\":" + std::to_string(event_ms) + "}";
}

/// What the filter "number % 7 != 3" of the configuration below drops.
bool is_filtered(uint64_t number) { return number % 7 == 3; }

}  // namespace

TortureMessage TortureStream::message(uint64_t number) const {
  return number % constant_share == 0 ? constant(number) : varied(number);
}

TortureMessage TortureStream::varied(uint64_t number) const {
  Random random(seed_ ^ (number * 0x2545f4914f6cdd1dU));
  TortureMessage message;
  message.pipeline = "varied";
  message.key = "k" + std::to_string(random.below(keys_));
  message.value = random.between(-value_max, value_max);
  const int64_t event_ms = first_event_ms + torture_disorder_ms + static_cast<int64_t>(number / messages_per_event_ms) -
                           random.between(0, torture_disorder_ms);
  message.window_start = event_ms / torture_window_ms * torture_window_ms;
  message.filtered = is_filtered(number);
  message.topic = "torture/varied/" + message.key;
  message.payload = payload_of(number, message.value, event_ms);
  return message;
}

TortureMessage TortureStream::constant(uint64_t number) const {
  TortureMessage message;
  message.pipeline = "constant";
  message.key = "c" + std::to_string(number / constant_share % constant_keys);
  message.value = 1;
  message.window_start = first_event_ms;
  message.topic = "torture/constant/" + message.key;
  message.payload = payload_of(0, message.value, first_event_ms);
  return message;
}

TortureMessage TortureStream::closer(const char* pipeline, uint64_t number) const {
  TortureMessage message;
  message.pipeline = pipeline;
  message.key = closer_key;
  message.topic = std::string("torture/") + pipeline + "/" + closer_key;
  const bool is_constant = strcmp(pipeline, "constant") == 0;
  const int64_t last_event_ms = first_event_ms + torture_disorder_ms + static_cast<int64_t>(number / messages_per_event_ms);
  const int64_t last_end_ms = is_constant ? first_event_ms + torture_constant_window_ms : last_event_ms + torture_window_ms;
  message.payload = payload_of(0, 0, last_end_ms + torture_max_delay_ms);
  return message;
}

std::string torture_client_id(const char* pipeline) { return std::string("torture-") + pipeline; }

namespace {

/// Small, so that it goes round often.
constexpr const char* journal_config =
    "  ack = \"journal\"\n  max_message = \"4KiB\"\n  journal = { size = \"1MiB\", linger = \"20ms\" }\n";

std::string pipeline_config(const char* name, const char* checkpoint, const char* filter, int64_t window_ms, bool journal) {
  const std::string pipeline = name;
  // Its deaths are the test's doing, and are neither counted out nor waited for.
  return "\n[[pipeline]]\nname = \"" + pipeline +
         "\"\nrestart = { strategy = \"fixed-delay\", attempts = 1000000, delay = \"0s\" }\ncheckpoint = { " + checkpoint +
         " }\n"
         "  [pipeline.source]\n"
         "  mqtt = \"local\"\n"
         "  topics = [\"torture/" +
         pipeline +
         "/+\"]\n"
         "  format = \"json\"\n" +
         (journal ? journal_config : "") +
         "  fields = { device = \"topic[2]\", number = \"int\", value = \"int\", ts = \"time(ms)\" }\n"
         "  event_time = { field = \"ts\", max_delay = \"" +
         std::to_string(torture_max_delay_ms) +
         "ms\" }\n"
         "  [[pipeline.step]]\n"
         "  filter = \"" +
         filter +
         "\"\n"
         "  [[pipeline.step]]\n"
         "  id = \"windows\"\n"
         "  key_by = [\"device\"]\n"
         "  window = { tumbling = \"" +
         std::to_string(window_ms) +
         "ms\" }\n"
         "  aggregate = { n = \"count()\", total = \"sum(value)\", low = \"min(value)\", high = \"max(value)\" }\n"
         "  max_keys = 2000\n"
         "  [pipeline.sink]\n"
         "  mqtt = \"local\"\n"
         "  topic = \"" +
         torture_results + "/" + pipeline +
         "/{device}\"\n"
         "  format = \"json\"\n"
         "  id_field = \"id\"\n";
}

}  // namespace

std::string torture_config(const TortureConfig& config) {
  std::string text = "[agent]\nname = \"torture\"\nstate_dir = \"" + config.state_dir +
                     "\"\nmemory_limit = \"128MiB\"\n\n[mqtt.local]\nurl = \"" + config.broker_url + "\"\nmqtt = \"" +
                     (config.version5 ? "5" : "3.1.1") + "\"\nclient_id = \"torture\"\n";
  // Short and different rhythms, so that kills meet every phase of a checkpoint.
  text += pipeline_config("varied", "interval = \"100ms\", min_pause = \"10ms\", records = 700", "number % 7 != 3",
                          torture_window_ms, config.journal);
  // With a journal, acknowledgements do not wait for checkpoints, and a start has more to replay.
  text += pipeline_config("constant", config.journal ? "interval = \"700ms\"" : "interval = \"70ms\", min_pause = \"10ms\"",
                          "value >= 0", torture_constant_window_ms, config.journal);
  return text;
}

}  // namespace weir
