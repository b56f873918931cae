#include "agent/operators/quantile_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t smallest_at = 0;
constexpr uint32_t largest_at = 8;
constexpr uint32_t zeros_at = 16;
constexpr uint32_t used_at = 20;
constexpr uint32_t header_bytes = 24;
constexpr uint32_t bucket_bytes = 6;

/// Powers of two from which and up to which magnitudes are told apart.
constexpr int octave_min = -126;
constexpr int octaves = 127 - octave_min;

uint8_t* bucket(uint8_t* at, uint32_t place) { return at + header_bytes + place * bucket_bytes; }
const uint8_t* bucket(const uint8_t* at, uint32_t place) { return at + header_bytes + place * bucket_bytes; }
int16_t index_at(const uint8_t* at, uint32_t place) { return load<int16_t>(bucket(at, place)); }
uint32_t count_at(const uint8_t* at, uint32_t place) { return load<uint32_t>(bucket(at, place) + sizeof(int16_t)); }
uint32_t used(const uint8_t* at) { return load<uint32_t>(at + used_at); }

void count_up(uint8_t* counter, uint32_t times) {
  uint32_t count = 0;
  store(counter, __builtin_add_overflow(load<uint32_t>(counter), times, &count) ? UINT32_MAX : count);
}

/// The first place whose bucket is not below `index`.
uint32_t find(const uint8_t* at, int16_t index) {
  uint32_t low = 0;
  for (uint32_t high = used(at); low < high;) {
    const uint32_t middle = low + (high - low) / 2;
    if (index_at(at, middle) < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void insert(uint8_t* at, uint32_t place, int16_t index, uint32_t times) {
  const uint32_t buckets = used(at);
  memmove(bucket(at, place + 1), bucket(at, place), size_t{buckets - place} * bucket_bytes);
  store(bucket(at, place), index);
  store(bucket(at, place) + sizeof(int16_t), times);
  store(at + used_at, buckets + 1);
}

/// Counts the values of a bucket as zeros.
void give_up(uint8_t* at, uint32_t place) {
  count_up(at + zeros_at, count_at(at, place));
  const uint32_t buckets = used(at) - 1;
  memmove(bucket(at, place), bucket(at, place + 1), size_t{buckets - place} * bucket_bytes);
  memset(bucket(at, buckets), 0, bucket_bytes);
  store(at + used_at, buckets);
}

/// By magnitude; of two that differ in sign alone the negative one goes first.
bool goes_before(int16_t left, int16_t right) {
  const int left_size = std::abs(int{left});
  const int right_size = std::abs(int{right});
  return left_size != right_size ? left_size < right_size : left < right;
}

/// The place of the bucket to be given up next. Requires at least one bucket.
uint32_t least(const uint8_t* at) {
  const uint32_t positive = find(at, 0);
  if (positive == 0) return 0;
  if (positive == used(at)) return positive - 1;
  return goes_before(index_at(at, positive - 1), index_at(at, positive)) ? positive - 1 : positive;
}

}  // namespace

/// A bucket spans 1 / buckets_per_octave_ of the approximation below, whose slope against the natural logarithm is at least
/// 4/3: the logarithms of its bounds are at most 2 * error apart, and the harmonic mean of bounds a and b is off by (b - a) /
/// (b + a) = tanh(error) of what lies between them.
QuantileSketch::QuantileSketch(double error) : buckets_per_octave_(0.375 / error), buckets_max_(buckets_for(error)) {}

uint32_t QuantileSketch::bytes() const { return header_bytes + buckets_max_ * bucket_bytes; }

/// log2(2^e * (1 + s)) is about e + s * (4 - s) / 3.
int16_t QuantileSketch::index_of(double value) const {
  const auto bits = std::bit_cast<uint64_t>(value);
  const int exponent = static_cast<int>(bits >> 52 & 0x7FF) - 1023;
  if (exponent < octave_min) return 0;
  double logarithm = octaves;
  if (exponent - octave_min < octaves) {
    const double s = static_cast<double>(bits & 0xFFFFFFFFFFFFF) / 4503599627370496.0;  // 2^52
    logarithm = exponent - octave_min + s * (4 - s) / 3;
  }
  const int index = 1 + static_cast<int>(logarithm * buckets_per_octave_);
  return static_cast<int16_t>(value < 0 ? -index : index);
}

double QuantileSketch::lower_bound(int index) const {
  const double logarithm = (index - 1) / buckets_per_octave_;
  const double octave = std::floor(logarithm);
  const double s = 2 - std::sqrt(4 - 3 * (logarithm - octave));
  return std::ldexp(1 + s, static_cast<int>(octave) + octave_min);
}

double QuantileSketch::value_of(int16_t index) const {
  const int size = std::abs(int{index});
  const double low = lower_bound(size);
  const double high = lower_bound(size + 1);
  const double magnitude = 2 * high / (low + high) * low;
  return index < 0 ? -magnitude : magnitude;
}

bool QuantileSketch::empty(const uint8_t* at) const { return used(at) == 0 && load<uint32_t>(at + zeros_at) == 0; }

void QuantileSketch::add(uint8_t* at, double value) const {
  const bool first = empty(at);
  if (first || value < load<double>(at + smallest_at)) store(at + smallest_at, value);
  if (first || value > load<double>(at + largest_at)) store(at + largest_at, value);
  count(at, index_of(value), 1);
}

void QuantileSketch::count(uint8_t* at, int16_t index, uint32_t times) const {
  if (index == 0) return count_up(at + zeros_at, times);
  uint32_t place = find(at, index);
  if (place < used(at) && index_at(at, place) == index) return count_up(bucket(at, place) + sizeof(int16_t), times);
  if (used(at) == buckets_max_) {
    const uint32_t weakest = least(at);
    if (goes_before(index, index_at(at, weakest))) return count_up(at + zeros_at, times);
    give_up(at, weakest);
    if (weakest < place) --place;
  }
  insert(at, place, index, times);
}

void QuantileSketch::merge(uint8_t* into, const uint8_t* from) const {
  if (empty(from)) return;
  if (empty(into)) {
    memcpy(into, from, bytes());
    return;
  }
  store(into + smallest_at, std::min(load<double>(into + smallest_at), load<double>(from + smallest_at)));
  store(into + largest_at, std::max(load<double>(into + largest_at), load<double>(from + largest_at)));
  count_up(into + zeros_at, load<uint32_t>(from + zeros_at));
  for (uint32_t place = 0; place < used(from); ++place) count(into, index_at(from, place), count_at(from, place));
}

double QuantileSketch::quantile(const uint8_t* at, double q) const {
  uint64_t total = load<uint32_t>(at + zeros_at);
  for (uint32_t place = 0; place < used(at); ++place) total += count_at(at, place);
  const auto rank = static_cast<uint64_t>(q * static_cast<double>(total - 1));
  const double smallest = load<double>(at + smallest_at);
  const double largest = load<double>(at + largest_at);
  if (rank == 0) return smallest;
  if (rank >= total - 1) return largest;
  const uint32_t positive = find(at, 0);
  uint64_t below = 0;
  for (uint32_t place = 0; place < used(at); ++place) {
    if (place == positive && rank < (below += load<uint32_t>(at + zeros_at))) return std::clamp(0.0, smallest, largest);
    if (rank < (below += count_at(at, place))) return std::clamp(value_of(index_at(at, place)), smallest, largest);
  }
  return std::clamp(0.0, smallest, largest);
}

bool QuantileSketch::valid(const uint8_t* at) const {
  if (used(at) > buckets_max_ || !std::isfinite(load<double>(at + smallest_at)) ||
      !std::isfinite(load<double>(at + largest_at)))
    return false;
  if (load<double>(at + smallest_at) > load<double>(at + largest_at)) return false;
  const int index_max = 1 + static_cast<int>(octaves * buckets_per_octave_);
  for (uint32_t place = 0; place < used(at); ++place) {
    const int index = index_at(at, place);
    if (index == 0 || std::abs(index) > index_max || count_at(at, place) == 0) return false;
    if (place > 0 && index <= index_at(at, place - 1)) return false;
  }
  return true;
}

}  // namespace weir
