#include "agent/operators/smoother.h"

#include <algorithm>
#include <cmath>

#include "agent/operators/decay.h"
#include "agent/operators/method_options.h"
#include "agent/operators/sample_ring.h"

namespace weir {
namespace {

/// The mean of the last values.
class MovingAverage final : public Smoother {
 public:
  explicit MovingAverage(uint32_t samples) : ring_(samples, false) {}

  uint32_t bytes() const override { return ring_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.add_shape("method", "moving-average");
    ring_.describe(layout.fields);
  }
  bool valid(const uint8_t* at) const override { return ring_.valid(at); }
  void begin(uint8_t* at, double value) const override {
    ring_.clear(at);
    ring_.push(at, value);
  }
  double next(uint8_t* at, double value, int64_t) const override {
    ring_.push(at, value);
    return ring_.mean(at);
  }

 private:
  SampleRing ring_;
};

/// The value in the middle of the last ones.
class MovingMedian final : public Smoother {
 public:
  MovingMedian(uint32_t samples, std::span<double> sorted) : ring_(samples, false), sorted_(sorted) {}

  uint32_t bytes() const override { return ring_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.add_shape("method", "median");
    ring_.describe(layout.fields);
  }
  bool valid(const uint8_t* at) const override { return ring_.valid(at); }
  void begin(uint8_t* at, double value) const override {
    ring_.clear(at);
    ring_.push(at, value);
  }
  double next(uint8_t* at, double value, int64_t) const override {
    ring_.push(at, value);
    const uint32_t count = ring_.count(at);
    for (uint32_t index = 0; index < count; ++index) sorted_[index] = ring_.value(at, index);
    std::ranges::sort(sorted_.first(count));
    const uint32_t middle = count / 2;
    // Halved one by one: their sum could be beyond the range of a double.
    return count % 2 == 1 ? sorted_[middle] : sorted_[middle - 1] / 2 + sorted_[middle] / 2;
  }

 private:
  SampleRing ring_;
  std::span<double> sorted_;
};

/// s += a * (value - s), with the same `alpha` for each record or, for records at irregular times, a = 1 - e^(-elapsed / tau).
/// State: f64 s.
class Ewma final : public Smoother {
 public:
  /// time_constant_ms is used if alpha is 0.
  Ewma(double alpha, double time_constant_ms) : alpha_(alpha), time_constant_ms_(time_constant_ms) {}

  uint32_t bytes() const override { return sizeof(double); }
  void describe(StateLayout& layout) const override {
    layout.add_shape("method", "ewma");
    layout.fields.add_f64("smoothed");
  }
  bool valid(const uint8_t* at) const override { return std::isfinite(load<double>(at)); }
  void begin(uint8_t* at, double value) const override { store(at, value); }
  double next(uint8_t* at, double value, int64_t elapsed_ms) const override {
    const auto before = load<double>(at);
    const double share = alpha_ > 0 ? alpha_ : gained_share(static_cast<double>(elapsed_ms) / time_constant_ms_);
    const double smoothed = before + share * (value - before);
    store(at, smoothed);
    return smoothed;
  }

 private:
  double alpha_;
  double time_constant_ms_;
};

/// The Kalman filter of one number that wanders (Welch and Bishop, "An Introduction to the Kalman Filter", section 1): the
/// variance p of the estimate grows by the process noise and shrinks with each measurement. State: f64 estimate, f64 p.
class Kalman final : public Smoother {
 public:
  /// unit_ms 0: the process noise is that of a record, whatever time has passed.
  Kalman(double process_noise, double measurement_noise, int64_t unit_ms)
      : process_noise_(process_noise), measurement_noise_(measurement_noise), unit_ms_(unit_ms) {}

  uint32_t bytes() const override { return 2 * sizeof(double); }
  void describe(StateLayout& layout) const override {
    layout.add_shape("method", "kalman");
    layout.fields.add_f64("estimate");
    layout.fields.add_f64("variance");
  }
  bool valid(const uint8_t* at) const override {
    const auto variance = load<double>(at + 8);
    return std::isfinite(load<double>(at)) && std::isfinite(variance) && variance >= 0;
  }
  void begin(uint8_t* at, double value) const override {
    store(at, value);
    store(at + 8, measurement_noise_);
  }
  double next(uint8_t* at, double value, int64_t elapsed_ms) const override {
    const double units = unit_ms_ == 0 ? 1 : static_cast<double>(elapsed_ms) / static_cast<double>(unit_ms_);
    const double variance = load<double>(at + 8) + process_noise_ * units;
    const double gain = variance / (variance + measurement_noise_);
    const auto before = load<double>(at);
    const double estimate = before + gain * (value - before);
    store(at, estimate);
    // The same as (1 - gain) * variance, but never negative and without loss where the gain is nearly 1.
    store(at + 8, gain * measurement_noise_);
    return std::isfinite(gain) ? estimate : gain;
  }

 private:
  double process_noise_;
  double measurement_noise_;
  int64_t unit_ms_;
};

/// Tells `build` of each option that is written and not among `allowed`.
void refuse_others(StepBuild& build, std::initializer_list<std::string_view> allowed) {
  constexpr std::string_view belonging[] = {"samples",       "alpha",        "half_life",        "time_constant",
                                            "process_noise", "process_unit", "measurement_noise"};
  for (std::string_view key : belonging) refuse_unless(build, key, std::ranges::find(allowed, key) != allowed.end());
}

uint32_t samples_of(StepBuild& build) {
  require_option(build, "samples", "samples = 9");
  return std::max(1U, static_cast<uint32_t>(build.options().integer("samples")));
}

std::unique_ptr<Smoother> make_median(StepBuild& build) {
  const uint32_t samples = samples_of(build);
  if (build.options().given("samples") && samples % 2 == 0)
    build.error("samples", "a median needs an odd number of samples, so that one is in the middle");
  return std::make_unique<MovingMedian>(
      samples, build.arena().take<double>(samples, build.pool() + ".sorted", std::to_string(samples) + " samples"));
}

std::unique_ptr<Smoother> make_ewma(StepBuild& build) {
  const StepOptions& options = build.options();
  if (options.given("alpha") + options.given("half_life") + options.given("time_constant") != 1)
    build.error("method", R"(method = "ewma" needs one of "alpha", "half_life" and "time_constant")");
  const double alpha = options.number("alpha");
  if (options.given("alpha") && alpha == 0) build.error("alpha", "\"alpha\" is greater than 0: with 0 nothing would change");
  constexpr double ln_2 = 0.69314718055994530942;
  const double time_constant_ms = options.given("half_life") ? static_cast<double>(options.integer("half_life")) / ln_2
                                                             : static_cast<double>(options.integer("time_constant"));
  return std::make_unique<Ewma>(alpha, time_constant_ms);
}

std::unique_ptr<Smoother> make_kalman(StepBuild& build) {
  const StepOptions& options = build.options();
  if (!options.given("process_noise") || !options.given("measurement_noise"))
    build.error("method", R"(method = "kalman" needs "process_noise" and "measurement_noise")");
  else if (options.number("measurement_noise") == 0)
    build.error("measurement_noise", "\"measurement_noise\" is greater than 0: without noise there is nothing to smooth");
  return std::make_unique<Kalman>(options.number("process_noise"), options.number("measurement_noise"),
                                  options.integer("process_unit"));
}

}  // namespace

std::unique_ptr<Smoother> make_smoother(StepBuild& build) {
  const std::string& method = build.options().text("method").value;
  if (method == "ewma") {
    refuse_others(build, {"alpha", "half_life", "time_constant"});
    return make_ewma(build);
  }
  if (method == "kalman") {
    refuse_others(build, {"process_noise", "process_unit", "measurement_noise"});
    return make_kalman(build);
  }
  refuse_others(build, {"samples"});
  if (method == "median") return make_median(build);
  return std::make_unique<MovingAverage>(samples_of(build));
}

}  // namespace weir
