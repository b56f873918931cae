// The stream that torture publishes: message number i is a function of the seed and i alone. One message in four belongs to
// the pipeline "constant", where all messages of a key are the same topic and the same bytes; the others to "varied".
#pragma once

#include <cstdint>
#include <string>

namespace weir {

constexpr int64_t torture_window_ms = 500;  // of "varied", event time
constexpr int64_t torture_constant_window_ms = 3600'000;
constexpr int64_t torture_disorder_ms = 400;    // event times run at most this far behind
constexpr int64_t torture_max_delay_ms = 2000;  // more than the disorder: nothing is late

struct TortureMessage {
  const char* pipeline = "";
  std::string topic;
  std::string payload;
  std::string key;
  int64_t window_start = 0;
  int64_t value = 0;
  bool filtered = false;  // the filter of its pipeline drops it
};

class TortureStream {
 public:
  TortureStream(uint64_t seed, uint64_t keys) : seed_(seed), keys_(keys) {}

  TortureMessage message(uint64_t number) const;
  /// Closes every window of its pipeline that messages before `number` can have opened; its own stays open.
  TortureMessage closer(const char* pipeline, uint64_t number) const;

 private:
  TortureMessage varied(uint64_t number) const;
  TortureMessage constant(uint64_t number) const;

  uint64_t seed_;
  uint64_t keys_;
};

/// The pipelines that this stream is meant for, as an agent's configuration.
struct TortureConfig {
  std::string state_dir;
  std::string broker_url;
  bool version5 = true;
  bool journal = false;
};
std::string torture_config(const TortureConfig& config);

/// The MQTT client id under which the agent reads for `pipeline`.
std::string torture_client_id(const char* pipeline);
constexpr const char* torture_pipelines[] = {"varied", "constant"};
constexpr const char* torture_results = "torture-results";  // topics of results: torture-results/PIPELINE/KEY

}  // namespace weir
