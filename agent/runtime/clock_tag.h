// ClockTag: adds to what another decoder makes of a message whether it arrived while the wall clock was not synchronised, as a
// field of its own. Owned by its input; reactor thread only; costs a store.
#pragma once

#include <memory>

#include "agent/model/codec.h"

namespace weir {

class ClockTag final : public Decoder {
 public:
  static constexpr const char* field_name = "clock_unsynchronised";

  /// Requires that `inner` has no field of that name, and fewer than fields_max.
  explicit ClockTag(std::unique_ptr<Decoder> inner) : inner_(std::move(inner)), schema_(inner_->schema()) {
    schema_.add({field_name, Type::Bool, 0});
  }
  const Schema& schema() const override { return schema_; }
  Refusal decode(const Message& message, std::span<Value> values) override {
    values.back() = Value::of_bool(message.unsynchronised);
    return inner_->decode(message, values.first(values.size() - 1));
  }

 private:
  std::unique_ptr<Decoder> inner_;
  Schema schema_;
};

}  // namespace weir
