// The account of a pipeline as `weir ledger` shows it, out of a running agent or out of its newest checkpoint.
#pragma once

#include <string_view>

#include "agent/base/text_writer.h"
#include "agent/model/manifest.h"
#include "agent/status/json_object.h"

namespace weir {

struct LedgerEntry {
  std::string_view pipeline;
  Ledger ledger;
  std::span<const SourceAccount> sources;
  uint64_t checkpoint_id = 0;   // the newest
  bool running = false;         // what follows is known
  uint64_t unacknowledged = 0;  // taken in, and not yet covered by what is durable
  uint64_t broker_dropped = 0;  // as the broker says, of all its clients, since the pipeline started
};

void render_ledger_text(const LedgerEntry& entry, TextWriter& out);
/// One object on a line.
void render_ledger_json(const LedgerEntry& entry, TextWriter& out);
/// The members of the account itself, for whoever has begun an object.
void render_account(const Ledger& ledger, JsonObject& account);

}  // namespace weir
