#include "firmware-tests/fuzz/targets.h"

namespace weir::fuzz {
namespace {

constexpr Target all[] = {
    {"config", config},   {"expression", expression}, {"topic", topic},   {"json", json},       {"table", table},
    {"control", control}, {"manifest", manifest},     {"layout", layout}, {"journal", journal}, {"state", state},
};

}  // namespace

std::span<const Target> targets() { return all; }

const Target* find_target(std::string_view name) {
  for (const Target& target : all)
    if (target.name == name) return &target;
  return nullptr;
}

}  // namespace weir::fuzz
