#include "agent/app/savepoint_pages.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/base/log.h"

namespace weir {
namespace {

/// Nobody needs so long for a page.
constexpr int64_t silence_ms = 30'000;
/// A caller that takes longer for all of them makes the database grow, which keeps all that has changed since.
constexpr int64_t pinned_ms = 600'000;

std::string_view take_word(std::string_view& words) {
  const size_t end = std::min(words.find(' '), words.size());
  const std::string_view word = words.substr(0, end);
  words.remove_prefix(std::min(words.size(), end + 1));
  return word;
}

template <class T>
bool take_number(std::string_view& words, T& value, char separator) {
  const size_t end = std::min(words.find(separator), words.size());
  const auto parsed = std::from_chars(words.data(), words.data() + end, value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == words.data() + end && end > 0;
  words.remove_prefix(std::min(words.size(), end + 1));
  return whole;
}

/// "STAGE.PART.KIND.KEY.OFFSET", or "0".
bool parse_cursor(std::string_view text, ExportCursor& cursor) {
  cursor = {};
  if (text == "0") return true;
  return take_number(text, cursor.stage, '.') && take_number(text, cursor.op, '.') && take_number(text, cursor.kind, '.') &&
         take_number(text, cursor.key, '.') && take_number(text, cursor.offset, '.') && text.empty();
}

void write_cursor(const ExportCursor& cursor, TextWriter& out) {
  if (cursor.done()) {
    out.append('-');
    return;
  }
  out.append_uint(cursor.stage).append('.').append_uint(cursor.op).append('.').append_uint(cursor.kind).append('.');
  out.append_int(cursor.key).append('.').append_uint(cursor.offset);
}

}  // namespace

bool SavepointPages::begin(std::string_view words, TextWriter& out, SqliteCheckpointStore& store, StorageExecutor& executor,
                           Now now) {
  const std::string_view name = take_word(words);
  const auto found = std::ranges::find_if(hosts_, [&](const auto& host) { return host->name() == name; });
  if (found == hosts_.end()) {
    out.append("error: there is no pipeline \"").append(name).append("\"\n");
    return false;
  }
  std::string_view id = take_word(words);
  if (busy_ || !take_number(id, checkpoint_id_, ' ') || !parse_cursor(words, cursor_)) {
    out.append(busy_ ? "error: another savepoint is under way\n" : "error: savepoint PIPELINE CHECKPOINT CURSOR\n");
    return false;
  }
  pipeline_ = (*found)->number();
  store_ = &store;
  out_ = &out;
  asked_boot_ms_ = now.boot_ms;
  if (checkpoint_id_ == 0 || pinned_ == 0) pinned_boot_ms_ = now.boot_ms;
  busy_ = true;
  executor.submit(*this);
  return true;
}

void SavepointPages::on_tick(StorageExecutor& executor, Now now) {
  const bool silent = now.boot_ms - asked_boot_ms_ > silence_ms || now.boot_ms - pinned_boot_ms_ > pinned_ms;
  if (busy_ || pinned_ == 0 || !silent) return;
  log(LogLevel::Warning, "a savepoint was begun and not fetched to its end; it is let go");
  out_ = nullptr;
  busy_ = true;
  executor.submit(*this);
}

void SavepointPages::run(CheckpointStore&) {
  if (out_ == nullptr) return let_go();
  const Status status = page();
  if (status.ok()) return;
  let_go();
  out_->clear();
  out_->append("error: ").append(status.text()).append('\n');
}

Status SavepointPages::page() {
  if (checkpoint_id_ == 0) {
    let_go();
    checkpoint_id_ = store_->newest_checkpoint(pipeline_);
    if (checkpoint_id_ == 0) return {Code::NotFound, "the pipeline has no checkpoint yet"};
    WEIR_TRY(store_->pin(pipeline_, checkpoint_id_));
    pinned_ = pipeline_;
    pinned_id_ = checkpoint_id_;
  }
  if (pinned_ != pipeline_ || pinned_id_ != checkpoint_id_)
    return {Code::NotFound, "that took too long, or another savepoint was begun; begin again"};
  const std::span<char> all = out_->rest();
  const std::span<char> rows = all.subspan(savepoint_page_header_bytes);
  ByteWriter bytes({reinterpret_cast<uint8_t*>(rows.data()), rows.size()});
  WEIR_TRY(store_->export_rows(pipeline_, checkpoint_id_, cursor_, bytes));
  if (cursor_.done()) let_go();
  std::ranges::fill(all.first(savepoint_page_header_bytes), ' ');
  TextWriter header(all.first(savepoint_page_header_bytes - 1));
  header.append_uint(checkpoint_id_).append(' ');
  write_cursor(cursor_, header);
  all[savepoint_page_header_bytes - 1] = '\n';
  out_->extend(savepoint_page_header_bytes + bytes.size());
  return {};
}

void SavepointPages::let_go() {
  // A pipeline that is not there any more pins nothing.
  if (pinned_ != 0) (void)store_->pin(pinned_, 0);
  pinned_ = 0;
}

void SavepointPages::done(Now now) {
  busy_ = false;
  if (out_ != nullptr) control_.answer(now);
}

}  // namespace weir
