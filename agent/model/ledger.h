// Ledger: the account of every message of a pipeline. It is part of each checkpoint, so it balances after a crash as well:
// received = applied + filtered + late + dead_lettered + duplicate + shed.
#pragma once

#include <cstdint>

namespace weir {

struct Ledger {
  uint64_t received = 0;       // messages that the source delivered, redeliveries included
  uint64_t applied = 0;        // reached state or the sink
  uint64_t filtered = 0;       // a filter said no
  uint64_t late = 0;           // behind the watermark: the window had fired
  uint64_t dead_lettered = 0;  // set aside with a reason
  uint64_t duplicate = 0;      // redeliveries dropped
  uint64_t shed = 0;           // left out because the pipeline could not keep up, as its configuration wants it
  // Not part of the balance:
  uint64_t results = 0;       // records that reached the sink
  uint64_t evicted = 0;       // keys that lost their state to max_keys
  uint64_t session_lost = 0;  // times the broker had forgotten the session: a possible gap

  int64_t imbalance() const {
    return static_cast<int64_t>(received) - static_cast<int64_t>(applied + filtered + late + dead_lettered + duplicate + shed);
  }
  bool operator==(const Ledger&) const = default;
};

}  // namespace weir
