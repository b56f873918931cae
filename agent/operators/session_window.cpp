#include "agent/operators/session_window.h"

#include <algorithm>
#include <cstring>

#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t header_bytes = 1;

constexpr uint32_t first_at = 0;
constexpr uint32_t last_at = 8;
constexpr uint32_t pane_at = 16;
constexpr uint32_t pending_at = 20;
constexpr uint32_t early_at = 21;  // with early results; then the accumulators

uint32_t accumulators_begin(const SessionWindows& windows) { return early_at + EarlyResults(windows.emit_every_ms).bytes(); }

/// What a session says about itself; its accumulators stay where they are.
struct Session {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  uint32_t pane = 0;     // how often it, or one that is part of it, has fired
  bool pending = false;  // it has something that it has not yet told
  int64_t early_ms = EarlyResults::none_ms;
};

class SessionFunction final : public OwnWindow {
 public:
  SessionFunction(const SessionWindows& windows, std::string_view id, OwnWindowParts parts, Arena& arena, std::string_view pool)
      : OwnWindow(std::move(parts), arena, pool),
        windows_(windows),
        early_(windows.emit_every_ms),
        accumulators_at_(accumulators_begin(windows)),
        session_bytes_(accumulators_at_ + accumulator_bytes()) {
    no_room_ = "step " + std::string(id) + ": all max_sessions = " + std::to_string(windows.max_sessions) +
               " sessions of this key are open";
  }

  uint32_t state_bytes() const override { return static_cast<uint32_t>(weir::state_bytes(windows_, aggregates())); }
  void describe(StateLayout& layout) const override {
    layout.kind = "window session";
    layout.add_shape("gap_ms", windows_.gap_ms);
    layout.add_shape("max_duration_ms", windows_.max_duration_ms);
    layout.add_shape("time", windows_.processing_time ? "processing" : "event");
    layout.fields.add_u8("count");
    StoredFields& session = layout.fields.add_list("sessions", windows_.max_sessions, "count");
    session.add_time("session.first");
    session.add_time("session.last");
    session.add_u32("session.pane");
    session.add_flag("session.pending");
    if (early_.wanted()) session.add_time("session.early");
    aggregates().describe(session);
  }
  bool valid(const uint8_t* state) const override;

  bool needs_order() const override { return false; }
  bool uses_event_timers() const override { return true; }
  bool uses_processing_timers() const override { return windows_.processing_time; }
  uint32_t fan_out() const override { return windows_.evict == Evict::Emit ? std::max(2U, windows_.max_sessions) : 1; }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return late({record.event_time_ms, record.event_time_ms}, watermark_ms) ? Outcome::Late : Outcome::Applied;
  }
  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override { fire_next(context); }
  void on_processing_timer(int64_t, KeyContext& context) override { fire_next(context); }
  void on_evicted(KeyContext& context) override;

 private:
  /// Neighbours in the order of the state, from begin to end - 1, and what they are together with the record.
  struct Cover {
    uint32_t begin = 0;
    uint32_t end = 0;
    Session session;
  };

  Session read(const uint8_t* at) const;
  void write(const Session& session, uint8_t* at) const;
  const uint8_t* at(const uint8_t* state, uint32_t index) const { return state + header_bytes + index * session_bytes_; }
  uint8_t* at(uint8_t* state, uint32_t index) const { return state + header_bytes + index * session_bytes_; }

  int64_t end_of(const Session& session) const;
  int64_t cleanup_of(const Session& session) const {
    return std::min(saturating_add(end_of(session) - 1, windows_.allowed_lateness_ms), end_of_input_ms);
  }
  /// When something has to be done about it.
  int64_t due_of(const Session& session) const;
  bool late(const Session& session, int64_t watermark_ms) const {
    return !windows_.processing_time && cleanup_of(session) <= watermark_ms;
  }
  bool touches(const Session& session, int64_t time_ms) const;
  bool fits(const Session& session) const {
    return windows_.max_duration_ms == 0 || static_cast<uint64_t>(session.last_ms) - static_cast<uint64_t>(session.first_ms) <
                                                static_cast<uint64_t>(windows_.max_duration_ms);
  }
  Cover cover(const uint8_t* state, int64_t time_ms) const;
  void open(uint8_t* state, uint32_t index) const;
  void remove(uint8_t* state, uint32_t begin, uint32_t end) const;
  void give_up_earliest(KeyContext& context, uint8_t* state);
  void fire(KeyContext& context, uint8_t* session);
  void fire_early(KeyContext& context, uint8_t* session);
  void fire_next(KeyContext& context);
  uint32_t next_due(const uint8_t* state) const;
  void set_timers(KeyContext& context);

  SessionWindows windows_;
  EarlyResults early_;
  uint32_t accumulators_at_;
  uint32_t session_bytes_;
  std::string no_room_;
};

Session SessionFunction::read(const uint8_t* at) const {
  return {load<int64_t>(at + first_at), load<int64_t>(at + last_at), load<uint32_t>(at + pane_at), at[pending_at] != 0,
          early_.wanted() ? load<int64_t>(at + early_at) : EarlyResults::none_ms};
}

void SessionFunction::write(const Session& session, uint8_t* at) const {
  store(at + first_at, session.first_ms);
  store(at + last_at, session.last_ms);
  store(at + pane_at, session.pane);
  at[pending_at] = session.pending ? 1 : 0;
  if (early_.wanted()) store(at + early_at, session.early_ms);
}

bool SessionFunction::valid(const uint8_t* state) const {
  if (state[0] > windows_.max_sessions) return false;
  for (uint32_t index = 0; index < state[0]; ++index) {
    const uint8_t* bytes = at(state, index);
    const Session session = read(bytes);
    if (session.first_ms > session.last_ms || bytes[pending_at] > 1 || !aggregates().valid(bytes + accumulators_at_))
      return false;
    if (session.early_ms <= session.first_ms) return false;
    if (index > 0 && session.first_ms < read(at(state, index - 1)).first_ms) return false;
  }
  return true;
}

int64_t SessionFunction::end_of(const Session& session) const {
  const int64_t end_ms = saturating_add(session.last_ms, windows_.gap_ms);
  if (windows_.max_duration_ms == 0) return end_ms;
  return std::min(end_ms, saturating_add(session.first_ms, windows_.max_duration_ms));
}

int64_t SessionFunction::due_of(const Session& session) const {
  const int64_t end_ms = std::min(end_of(session), session.early_ms);
  if (windows_.processing_time) return end_ms;
  return session.pending ? end_ms - 1 : cleanup_of(session);
}

/// Whether the window of a record at this time and the session's would touch, were it not for max_duration.
bool SessionFunction::touches(const Session& session, int64_t time_ms) const {
  if (windows_.processing_time) return time_ms < end_of(session);
  return session.first_ms <= saturating_add(time_ms, windows_.gap_ms) &&
         time_ms <= saturating_add(session.last_ms, windows_.gap_ms);
}

/// The record joins the earliest session that it can, and with it those behind it as long as they touch and fit.
SessionFunction::Cover SessionFunction::cover(const uint8_t* state, int64_t time_ms) const {
  Cover cover{0, 0, {time_ms, time_ms, 0, true, EarlyResults::none_ms}};
  for (uint32_t index = 0; index < state[0]; ++index) {
    const Session session = read(at(state, index));
    const bool joined = cover.begin < cover.end;
    Session both = {std::min(cover.session.first_ms, session.first_ms), std::max(cover.session.last_ms, session.last_ms),
                    std::max(cover.session.pane, session.pane), true, EarlyResults::none_ms};
    // Its times are counted from the start: those of another start are forgotten.
    for (const Session& part : {cover.session, session})
      if (part.first_ms == both.first_ms) both.early_ms = std::min(both.early_ms, part.early_ms);
    if (touches(session, time_ms) && fits(both)) {
      if (!joined) cover.begin = index;
      cover.end = index + 1;
      cover.session = both;
    } else if (joined || session.first_ms > time_ms) {
      break;
    } else {
      cover.begin = cover.end = index + 1;
    }
  }
  return cover;
}

Outcome SessionFunction::process(const Record& record, KeyContext& context) {
  // The step's own processing time, for the record's may go back over a restart.
  const int64_t time_ms = windows_.processing_time ? context.processing_ms() : record.event_time_ms;
  Cover found = cover(context.peek(), time_ms);
  if (late(found.session, context.watermark_ms())) return Outcome::Late;
  uint8_t* state = context.state().data();
  if (found.begin == found.end) {
    if (state[0] == windows_.max_sessions) {
      if (windows_.evict == Evict::Reject) return context.refuse(record, "capacity", no_room_);
      give_up_earliest(context, state);
      found.begin -= found.begin > 0 ? 1 : 0;
    }
    open(state, found.begin);
  }
  uint8_t* session = at(state, found.begin);
  // The sessions first and then the record: they lie one behind the other, it may lie anywhere.
  for (uint32_t index = found.begin + 1; index < found.end; ++index)
    aggregates().merge(session + accumulators_at_, at(state, index) + accumulators_at_);
  if (found.end > found.begin + 1) remove(state, found.begin + 1, found.end);
  aggregates().add(session + accumulators_at_, record);
  if (early_.wanted()) {
    const int64_t reached_ms = windows_.processing_time ? time_ms : saturating_add(context.watermark_ms(), 1);
    found.session.early_ms = std::min(found.session.early_ms, early_.first_after(found.session.first_ms, reached_ms));
  }
  write(found.session, session);
  if (found.session.pane > 0) context.note_late_update();
  if (!windows_.processing_time && end_of(found.session) - 1 <= context.watermark_ms()) fire(context, session);
  set_timers(context);
  return Outcome::Applied;
}

/// Makes room for an empty session in front of the one at `index`.
void SessionFunction::open(uint8_t* state, uint32_t index) const {
  uint8_t* session = at(state, index);
  memmove(session + session_bytes_, session, size_t{state[0] - index} * session_bytes_);
  memset(session, 0, session_bytes_);
  ++state[0];
}

void SessionFunction::remove(uint8_t* state, uint32_t begin, uint32_t end) const {
  const uint32_t behind = state[0] - end;
  memmove(at(state, begin), at(state, end), size_t{behind} * session_bytes_);
  memset(at(state, begin + behind), 0, size_t{end - begin} * session_bytes_);
  state[0] = static_cast<uint8_t>(begin + behind);
}

void SessionFunction::give_up_earliest(KeyContext& context, uint8_t* state) {
  uint8_t* session = at(state, 0);
  if (windows_.evict == Evict::Emit && read(session).pending) fire(context, session);
  remove(state, 0, 1);
  context.note_evicted();
}

void SessionFunction::fire(KeyContext& context, uint8_t* bytes) {
  Session session = read(bytes);
  emit(context, bytes + accumulators_at_, {session.first_ms, end_of(session)}, session.pane, 0);
  session.pending = false;
  session.early_ms = EarlyResults::none_ms;
  if (session.pane < UINT32_MAX) ++session.pane;
  write(session, bytes);
}

/// Unless its end has come as well: then that is what there is to say.
void SessionFunction::fire_early(KeyContext& context, uint8_t* bytes) {
  Session session = read(bytes);
  const int64_t reached_ms = windows_.processing_time ? context.processing_ms() : saturating_add(context.watermark_ms(), 1);
  if (end_of(session) > reached_ms)
    emit(context, bytes + accumulators_at_, {session.first_ms, end_of(session)},
         early_.pane_of(session.first_ms, session.early_ms), 0);
  session.early_ms = EarlyResults::none_ms;
  write(session, bytes);
}

/// One at a time, for downstream may have room for no more; the timer then stands where the next one is due.
void SessionFunction::fire_next(KeyContext& context) {
  uint8_t* state = context.state().data();
  // Only state that was tampered with has a timer and no session.
  if (state[0] == 0) return context.forget();
  const uint32_t index = next_due(state);
  const Session session = read(at(state, index));
  if (session.early_ms < end_of(session)) {
    fire_early(context, at(state, index));
    return set_timers(context);
  }
  const bool fires = session.pending;
  if (fires) fire(context, at(state, index));
  if (!fires || windows_.allowed_lateness_ms == 0) remove(state, index, index + 1);
  set_timers(context);
  if (state[0] == 0) context.forget();
}

/// Requires that there is a session.
uint32_t SessionFunction::next_due(const uint8_t* state) const {
  uint32_t best = 0;
  for (uint32_t index = 1; index < state[0]; ++index)
    if (due_of(read(at(state, index))) < due_of(read(at(state, best)))) best = index;
  return best;
}

void SessionFunction::set_timers(KeyContext& context) {
  const uint8_t* state = context.peek();
  const int64_t due_ms = state[0] == 0 ? no_timer : due_of(read(at(state, next_due(state))));
  if (!windows_.processing_time) return context.set_event_timer(due_ms);
  context.set_processing_timer(due_ms);
  context.set_event_timer(state[0] == 0 ? no_timer : end_of_input_ms);
}

void SessionFunction::on_evicted(KeyContext& context) {
  uint8_t* state = context.state().data();
  for (uint32_t index = 0; index < state[0]; ++index)
    if (read(at(state, index)).pending) fire(context, at(state, index));
}

}  // namespace

uint64_t state_bytes(const SessionWindows& windows, const AggregateSet& aggregates) {
  return header_bytes + windows.max_sessions * (accumulators_begin(windows) + aggregates.bytes());
}

std::unique_ptr<KeyedFunction> make_session_windows(const SessionWindows& windows, std::string_view id, OwnWindowParts parts,
                                                    Arena& arena, std::string_view pool) {
  WEIR_ASSERT(windows.max_sessions >= 1 && windows.max_sessions <= max_sessions_limit && windows.gap_ms >= 1);
  return std::make_unique<SessionFunction>(windows, id, std::move(parts), arena, pool);
}

}  // namespace weir
