#include "agent/status/dead_letter_report.h"

#include <algorithm>
#include <cinttypes>

#include "agent/status/utc_text.h"

namespace weir {
namespace {

constexpr size_t payload_shown_json = 1024;  // bytes
constexpr size_t payload_shown_text = 160;
constexpr size_t last_line_bytes = 64;  // kept free for the line that says where to go on

std::string_view shown(const DeadLetter& letter, size_t limit) {
  return as_text(letter.payload.first(std::min(letter.payload.size(), limit)));
}

}  // namespace

void render_dead_letter_json(const StoredDeadLetter& stored, size_t payload_max, TextWriter& out) {
  const DeadLetter& letter = stored.letter;
  out.append("{\"id\":").append_int(stored.id).append(",\"pipeline\":").append_json_string(stored.pipeline);
  out.append(",\"checkpoint_id\":").append_uint(stored.checkpoint_id).append(",\"step\":").append_json_string(letter.step);
  out.append(",\"reason\":").append_json_string(letter.reason).append(",\"detail\":").append_json_string(letter.detail);
  out.append(",\"topic\":").append_json_string(letter.topic).append(",\"payload\":");
  out.append_json_string(shown(letter, payload_max)).append(",\"payload_size\":").append_uint(letter.payload_size);
  out.append(",\"offset\":").append_uint(letter.offset).append(",\"arrival_ms\":").append_int(letter.arrival_ms);
  out.append(",\"attempts\":").append_uint(letter.attempts).append("}\n");
}

void render_dead_letter_text(const StoredDeadLetter& stored, size_t payload_max, TextWriter& out) {
  const DeadLetter& letter = stored.letter;
  out.append_int(stored.id).append("  ");
  append_utc(out, letter.arrival_ms);
  out.append("  ").append(stored.pipeline).append('/').append(letter.step).append("  ");
  // A detail that begins with the reason says it already.
  if (!letter.detail.starts_with(letter.reason)) out.append(letter.reason).append(": ");
  out.append(letter.detail);
  if (letter.attempts > 0)
    out.append(", replayed ").append_uint(letter.attempts).append(letter.attempts == 1 ? " time" : " times");
  out.append("\n    topic   ").append_json_string(letter.topic).append("\n    payload ");
  out.append_json_string(shown(letter, payload_max));
  if (letter.payload_size > payload_max || letter.payload_size > letter.payload.size())
    out.printf(" (%" PRIu64 " bytes in all)", letter.payload_size);
  out.append('\n');
}

Status list_dead_letters(CheckpointStore& store, int64_t after, size_t limit, bool json, TextWriter& out) {
  int64_t last_shown = after;
  size_t count = 0;
  bool more = false;
  Status status = store.list_dead_letters(0, after, limit + 1, [&](const StoredDeadLetter& stored) {
    if (more) return;
    size_t before = out.size();
    if (count < limit && json) render_dead_letter_json(stored, payload_shown_json, out);
    if (count < limit && !json) render_dead_letter_text(stored, payload_shown_text, out);
    if (count == limit || out.room() < last_line_bytes) {
      out.truncate(before);
      more = true;
      return;
    }
    last_shown = stored.id;
    ++count;
  });
  if (!status.ok()) return status;
  if (more && json) out.printf("{\"next_after\":%" PRId64 "}\n", last_shown);
  if (more && !json) out.printf("-- more: --after %" PRId64 "\n", last_shown);
  if (count == 0 && !more && !json) out.append("no dead letters\n");
  return {};
}

Status show_dead_letter(CheckpointStore& store, int64_t id, bool json, TextWriter& out) {
  bool found = false;
  WEIR_TRY(store.list_dead_letters(0, id - 1, 1, [&](const StoredDeadLetter& stored) {
    if (stored.id != id) return;
    found = true;
    (json ? render_dead_letter_json : render_dead_letter_text)(stored, stored.letter.payload.size(), out);
  }));
  if (!found) return {Code::NotFound, "there is no dead letter with this number"};
  if (out.overflowed()) return {Code::Full, "the dead letter is too large to be shown by the agent; stop it and ask again"};
  return {};
}

}  // namespace weir
