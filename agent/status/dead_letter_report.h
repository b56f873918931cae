// Dead letters as `weir dead-letters list` shows them: one JSON object or a few lines of text for each.
#pragma once

#include "agent/base/text_writer.h"
#include "agent/model/checkpoint_store.h"

namespace weir {

/// At most `payload_max` bytes of the payload are shown.
void render_dead_letter_json(const StoredDeadLetter& stored, size_t payload_max, TextWriter& out);
void render_dead_letter_text(const StoredDeadLetter& stored, size_t payload_max, TextWriter& out);

/// Lists one page into `out`: rows until `limit` or until the buffer is full, then a last line that says where to go on:
/// {"next_after":ID} in JSON, "-- more: --after ID" as text; none when there is nothing more. JSON is one object per line.
Status list_dead_letters(CheckpointStore& store, int64_t after, size_t limit, bool json, TextWriter& out);

/// One letter with all that is kept of its payload. Code::NotFound if there is none with this id, Code::Full if it is larger
/// than `out` has room for.
Status show_dead_letter(CheckpointStore& store, int64_t id, bool json, TextWriter& out);

}  // namespace weir
