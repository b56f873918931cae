#include "agent/operators/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "agent/base/hash.h"

namespace weir {
namespace {

/// 1 / (2 ln 2).
constexpr double alpha = 0.72134752044448170368;

/// x + sum over k >= 1 of x^(2^k) 2^(k-1), for 0 <= x < 1; infinite for 1. Corrects for the registers that are still empty.
double sigma(double x) {
  if (x >= 1) return std::numeric_limits<double>::infinity();
  double weight = 1;
  double sum = x;
  for (double before = -1; sum != before;) {
    before = sum;
    x *= x;
    sum += x * weight;
    weight += weight;
  }
  return sum;
}

/// (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3, for 0 <= x <= 1. Corrects for the registers that are full.
double tau(double x) {
  if (x <= 0 || x >= 1) return 0;
  double weight = 1;
  double sum = 1 - x;
  for (double before = -1; sum != before;) {
    before = sum;
    x = std::sqrt(x);
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  }
  return sum / 3;
}

}  // namespace

HyperLogLog::HyperLogLog(uint32_t precision) : precision_(precision) {
  WEIR_ASSERT(precision >= precision_min && precision <= precision_max);
}

double HyperLogLog::standard_error() const { return 1.04 / std::sqrt(static_cast<double>(bytes())); }

uint8_t HyperLogLog::rank(uint64_t hash) const {
  const auto zeros = static_cast<uint32_t>(std::countl_zero(hash << precision_));
  return static_cast<uint8_t>(std::min(zeros + 1, rank_max()));
}

bool HyperLogLog::changes(const uint8_t* registers, uint64_t hash) const { return rank(hash) > registers[place(hash)]; }

void HyperLogLog::add(uint8_t* registers, uint64_t hash) const {
  uint8_t& best = registers[place(hash)];
  best = std::max(best, rank(hash));
}

void HyperLogLog::merge(uint8_t* into, const uint8_t* from) const {
  for (uint32_t index = 0; index < bytes(); ++index) into[index] = std::max(into[index], from[index]);
}

double HyperLogLog::estimate(const uint8_t* registers) const {
  std::array<uint32_t, 64> counts{};
  for (uint32_t index = 0; index < bytes(); ++index) ++counts[registers[index]];
  const auto registers_count = static_cast<double>(bytes());
  double sum = registers_count * tau(1 - counts[rank_max()] / registers_count);
  for (uint32_t rank = rank_max() - 1; rank >= 1; --rank) sum = 0.5 * (sum + counts[rank]);
  sum += registers_count * sigma(counts[0] / registers_count);
  return alpha * registers_count * registers_count / sum;
}

bool HyperLogLog::valid(const uint8_t* registers) const {
  return std::all_of(registers, registers + bytes(), [this](uint8_t rank) { return rank <= rank_max(); });
}

uint64_t distinct_hash(const Value& value) {
  switch (value.type()) {
    case Type::String:
      return hash64(as_bytes(value.as_string()));
    case Type::Float:
      return hash_chain(0, value.as_float() == 0 ? 0.0 : value.as_float());
    case Type::Bool:
      return hash_chain(0, int64_t{value.as_bool()});
    default:
      return hash_chain(0, value.as_int());
  }
}

}  // namespace weir
