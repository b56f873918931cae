#include "agent/app/dead_letter_requests.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "agent/runtime/dead_letter_buffer.h"

namespace weir {
namespace {

/// Letters that one answer is about: after that the caller asks on.
constexpr uint32_t replayed_at_a_time = 200;
/// Reasons of letters that were skipped that an answer tells one by one.
constexpr size_t room_for_reasons = 1024;
constexpr size_t short_text_max = 64;  // of a reason or a step

std::string_view next_word(std::string_view& words) {
  const size_t blank = std::min(words.find(' '), words.size());
  const std::string_view word = words.substr(0, blank);
  words.remove_prefix(std::min(blank + 1, words.size()));
  return word;
}

bool take_number(std::string_view& words, int64_t& number) {
  const std::string_view word = next_word(words);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size() && number >= 0;
}

}  // namespace

bool parse_dead_letter_question(std::string_view words, DeadLetterAction& action, DeadLetterSelection& selection) {
  const std::string_view verb = next_word(words);
  if (verb == "count") {
    action = DeadLetterAction::Count;
  } else if (verb == "purge") {
    action = DeadLetterAction::Purge;
  } else if (verb == "replay") {
    action = DeadLetterAction::Replay;
  } else {
    return false;
  }
  if (!take_number(words, selection.after) || !take_number(words, selection.up_to)) return false;
  selection.pipeline = next_word(words);
  selection.reason = next_word(words);
  if (selection.pipeline.empty() || selection.reason.empty()) return false;
  if (selection.pipeline == "-") selection.pipeline = {};
  if (selection.reason == "-") selection.reason = {};
  return take_number(words, selection.id) && take_number(words, selection.before_ms) && words.empty();
}

DeadLetterRequests::DeadLetterRequests(const std::vector<std::unique_ptr<PipelineHost>>& hosts, ControlServer& control,
                                       Arena& arena, size_t payload_max)
    : hosts_(hosts),
      control_(control),
      bytes_(arena.take<uint8_t>(
          payload_max + payload_padding + dead_letter_topic_max + dead_letter_detail_max + 2 * short_text_max, "dead-letters",
          "one stored message that is replayed")),
      payload_max_(payload_max) {}

bool DeadLetterRequests::begin(std::string_view words, TextWriter& out, SqliteCheckpointStore& store, StorageExecutor& executor,
                               Now) {
  selection_ = {};
  if (words.size() > words_.size()) words = {};
  std::ranges::copy(words, words_.begin());
  if (!parse_dead_letter_question({words_.data(), words.size()}, action_, selection_)) {
    out.append("error: dead-letters-do count|purge|replay AFTER UP_TO PIPELINE|- REASON|- ID BEFORE_MS\n");
    return false;
  }
  if (busy_ || stopping_) {
    out.append(stopping_ ? "error: the agent is stopping\n" : "error: another such question is being answered\n");
    return false;
  }
  store_ = &store;
  executor_ = &executor;
  out_ = &out;
  busy_ = true;
  taken_ = again_ = skipped_ = 0;
  executor.submit(*this);
  return true;
}

// ---- the storage thread

void DeadLetterRequests::run(CheckpointStore&) {
  status_ = {};
  if (action_ == DeadLetterAction::Replay) return read_next();
  if (action_ == DeadLetterAction::Purge) return purge();
  const Result<SelectedLetters> counted = store_->count_dead_letters(selection_);
  status_ = counted.status();
  if (counted.ok()) selected_ = counted.value();
}

void DeadLetterRequests::purge() {
  const Result<size_t> purged = store_->purge_dead_letters(selection_);
  status_ = purged.status();
  if (purged.ok()) selected_.count = purged.value();
}

void DeadLetterRequests::read_next() {
  found_ = false;
  status_ = store_->select_dead_letters(selection_, 1, [this](const StoredDeadLetter& stored) { keep(stored); });
}

/// Copies it into memory of its own, the payload first, with room behind it for the decoder.
void DeadLetterRequests::keep(const StoredDeadLetter& stored) {
  found_ = true;
  letter_ = stored;
  too_large_ = stored.letter.payload.size() > payload_max_;
  size_t used = payload_max_ + payload_padding;
  if (!too_large_ && !stored.letter.payload.empty())
    memcpy(bytes_.data(), stored.letter.payload.data(), stored.letter.payload.size());
  letter_.letter.payload = Bytes(bytes_).first(too_large_ ? 0 : stored.letter.payload.size());
  const auto keep_text = [&](std::string_view text, size_t limit) {
    text = text.substr(0, limit);
    if (!text.empty()) memcpy(bytes_.data() + used, text.data(), text.size());
    const Bytes kept = Bytes(bytes_).subspan(used, text.size());
    used += limit;
    return as_text(kept);
  };
  letter_.letter.topic = keep_text(stored.letter.topic, dead_letter_topic_max);
  letter_.letter.detail = keep_text(stored.letter.detail, dead_letter_detail_max);
  letter_.letter.reason = keep_text(stored.letter.reason, short_text_max);
  letter_.letter.step = keep_text(stored.letter.step, short_text_max);
  copy_cut(name_, stored.pipeline);
  letter_.pipeline = text_in(name_);
}

// ---- the reactor thread

void DeadLetterRequests::done(Now now) {
  if (!status_.ok()) {
    out_->clear();
    out_->append("error: ").append(status_.text()).append('\n');
    return answer(now);
  }
  if (action_ == DeadLetterAction::Replay) return found_ ? deliver(now) : finish_replay(false, now);
  out_->append(action_ == DeadLetterAction::Count ? "count " : "purge ").append_uint(selected_.count);
  if (action_ == DeadLetterAction::Count) out_->append(' ').append_int(selected_.newest_id);
  if (action_ == DeadLetterAction::Purge)
    out_->append(selected_.count == SqliteCheckpointStore::purge_portion ? " more" : " done");
  out_->append('\n');
  answer(now);
}

Pipeline* DeadLetterRequests::pipeline_of_letter() const {
  const auto host = std::ranges::find_if(hosts_, [&](const auto& each) { return each->name() == letter_.pipeline; });
  return host == hosts_.end() || !(*host)->running() ? nullptr : (*host)->pipeline();
}

void DeadLetterRequests::deliver(Now now) {
  Pipeline* pipeline = pipeline_of_letter();
  const char* problem = pipeline == nullptr ? "its pipeline does not run"
                        : too_large_        ? "it is larger than any dead_letters.max_payload now"
                                            : pipeline->not_replayable(letter_.letter);
  waits_ = problem == nullptr && !pipeline->may_replay() && !stopping_;
  if (waits_) return;
  if (problem == nullptr && stopping_) return finish_replay(true, now);
  if (problem != nullptr) {
    ++skipped_;
    if (out_->room() > room_for_reasons && skipped_ <= 20)
      out_->append("skipped ").append_int(letter_.id).append(": ").append(problem).append('\n');
  } else {
    ++(pipeline->replay(letter_.id, letter_.letter, now) ? taken_ : again_);
  }
  selection_.after = letter_.id;
  next(now);
}

void DeadLetterRequests::on_turn(Now now) {
  if (waits_) deliver(now);
}

void DeadLetterRequests::next(Now now) {
  if (taken_ + again_ + skipped_ >= replayed_at_a_time) return finish_replay(true, now);
  executor_->submit(*this);
}

/// What was replayed is to be durable soon.
void DeadLetterRequests::finish_replay(bool more, Now now) {
  if (taken_ + again_ > 0)
    for (const auto& host : hosts_)
      if (host->running() && (selection_.pipeline.empty() || selection_.pipeline == host->name()))
        host->pipeline()->request_checkpoint();
  out_->append("replay ").append_uint(taken_).append(' ').append_uint(again_).append(' ').append_uint(skipped_);
  out_->append(' ').append_int(selection_.after).append(more ? " more\n" : " done\n");
  answer(now);
}

void DeadLetterRequests::answer(Now now) {
  busy_ = false;
  waits_ = false;
  control_.answer(now);
}

}  // namespace weir
