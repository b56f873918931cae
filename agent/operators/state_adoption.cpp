#include "agent/operators/state_adoption.h"

namespace weir {
namespace {

/// Beside a slot's bytes, generously.
constexpr uint64_t bytes_beside = 64;

}  // namespace

Status StoredSlots::open(uint32_t slots) {
  const uint64_t bytes = (slot_bytes_ + bytes_beside) * slots;
  if (slots == 0 || slots == KeyedState::none || slot_bytes_ == 0 || slot_bytes_ > KeyedState::slot_bytes_max ||
      bytes > Arena::default_capacity / 4 || state_ != nullptr)
    return {Code::Corrupt, "stored state has more slots than there can be"};
  arena_ = std::make_unique<Arena>(static_cast<size_t>(bytes) + (1 << 20));
  state_ = std::make_unique<KeyedState>(slots, static_cast<uint32_t>(slot_bytes_), *arena_, "stored", "");
  return {};
}

Status StoredSlots::restore(const StoredBlob& blob) {
  if (state_ == nullptr) return {Code::Corrupt, "stored state begins without the number of its slots"};
  return state_->restore(blob);
}

uint32_t StoredSlots::live() const {
  uint32_t count = 0;
  for (uint32_t slot = 0; state_ != nullptr && slot < state_->slots(); ++slot) count += state_->used(slot) ? 1U : 0U;
  return count;
}

Status StoredSlots::each(FunctionRef<Status(Bytes slot)> visit) const {
  for (uint32_t slot = 0; state_ != nullptr && slot < state_->slots(); ++slot)
    if (state_->used(slot)) WEIR_TRY(visit(state_->read(slot)));
  return {};
}

StateAdoption::StateAdoption(StateLayout from, StateLayout to)
    : conversion_(std::move(from), std::move(to)), slots_(conversion_.from()) {
  WEIR_ASSERT(conversion_.possible());
}

Status StateAdoption::finish(KeyedState& into) {
  into.begin_anew();
  std::vector<uint8_t> converted;
  return slots_.each([&](Bytes stored) -> Status {
    WEIR_TRY(conversion_.convert(stored, converted));
    const uint32_t slot = into.take(static_cast<uint32_t>(converted.size()));
    if (slot == KeyedState::none)
      return {Code::Incompatible, "more keys are stored than max_keys allows; set it to at least as many",
              static_cast<int>(slots_.live())};
    std::ranges::copy(converted, into.edit(slot).begin());
    return {};
  });
}

Status begin_adoption(const StateLayout& from, std::string_view to, std::unique_ptr<StateAdoption>& adoption) {
  Result<StateLayout> wanted = StateLayout::parse(to);
  if (!wanted.ok()) return wanted.status();
  if (!StateConversion(from, wanted.value()).possible())
    return {Code::Incompatible, "what is stored cannot be taken over by this configuration"};
  adoption = std::make_unique<StateAdoption>(from, std::move(wanted.value()));
  return {};
}

}  // namespace weir
