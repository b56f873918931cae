// Hopping and cumulative windows, time zones, lateness, early results, device clocks and processing time, against windows by
// their definition over a list of all records.
#include <algorithm>
#include <cinttypes>
#include <functional>
#include <memory>
#include <random>
#include <set>

#include "agent/operators/window_aggregate.h"
#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

using Kind = WindowGrid::Kind;
constexpr int64_t minute = 60'000;
constexpr int64_t hour = 60 * minute;
constexpr int64_t day = 24 * hour;
// The clocks of Vienna go forward, and back.
constexpr int64_t spring = 1711846800000;  // 2024-03-31 01:00 UTC
constexpr int64_t autumn = 1729990800000;  // 2024-10-27 01:00 UTC

struct Wanted {
  Kind kind = Kind::Hopping;
  int64_t size = 10;
  int64_t hop = 5;
  int64_t offset = 0;
  std::string zone{};
  int64_t max_delay = 0;
  int64_t lateness = 0;
  int64_t early = 0;
  int64_t empty = 0;
  Late late = Late::Drop;
  bool processing = false;
  uint32_t clocks = 1;
  uint64_t max_keys = 20;
  Evict evict = Evict::Reject;
};

/// Loading one takes some ten thousand questions to the C library.
const TimeZone& zone_named(const std::string& name) {
  static std::map<std::string, TimeZone> zones;
  if (!zones.contains(name)) {
    Result<TimeZone> zone = TimeZone::load(name);
    WEIR_ASSERT(zone.ok());
    zones.emplace(name, std::move(zone.value()));
  }
  return zones.at(name);
}

/// One window step with its end, its store and the process that it lives in.
struct Rig {
  explicit Rig(Wanted wanted_kind) : wanted(std::move(wanted_kind)) { start_anew(); }

  WindowSpec spec() const {
    WindowSpec made;
    made.id = "w";
    made.key_fields = {0};
    made.windows = {wanted.size, wanted.offset, wanted.hop, wanted.kind};
    if (!wanted.zone.empty()) made.zone = zone_named(wanted.zone);
    made.max_delay_ms = wanted.max_delay;
    made.allowed_lateness_ms = wanted.lateness;
    made.emit_every_ms = wanted.early;
    made.empty_ms = wanted.empty;
    made.late = wanted.late;
    made.processing_time = wanted.processing;
    made.clocks = wanted.clocks;
    for (const auto& [name, text] : {std::pair{"n", "count()"}, std::pair{"s", "sum(v)"}, std::pair{"f", "first(v)"},
                                     std::pair{"l", "last(v)"}, std::pair{"hi", "max(v)"}})
      made.aggregates.push_back(aggregation_of(name, text, input));
    made.max_keys = wanted.max_keys;
    made.evict = wanted.evict;
    return made;
  }
  void start_anew() {
    window = nullptr;
    arena = std::make_unique<Arena>(size_t{64} << 20);
    WEIR_ASSERT(WindowAggregate::check(spec(), input).empty());
    window = std::make_unique<WindowAggregate>(spec(), input, *arena, "p.w");
    window->connect(&sink, &refusals);
    window->set_op(3);
    if (!window->branches().empty()) window->connect_branch(0, &side);
  }
  Outcome send(const std::string& key, int64_t time, int64_t value = 1, uint32_t clock = 0) {
    Value values[] = {Value::of_string(key), Value::of_int(value)};
    Record record{.values = values, .event_time_ms = time, .offset = ++offset, .clock = clock};
    if (wanted.processing) record = {.values = values, .event_time_ms = 7, .offset = offset, .processing_ms = time};
    return window->process(record);
  }
  void checkpoint(bool committed = true) { checkpoint_of(*window, ++id, blobs, committed); }
  void restart() {
    start_anew();
    const Status status = blobs.load_into(*window);
    STRCMP_EQUAL("", status.ok() ? "" : status.text());
  }
  std::string out() {
    for (const Seen& one : sink.seen) CHECK_TRUE_TEXT(identities.insert(one.identity).second, one.values.c_str());
    std::string lines = sink.lines();
    sink.seen.clear();
    sink.count = 0;
    return lines;
  }

  Wanted wanted;
  Schema input = schema_of({{"device", Type::String, 12}, {"v", Type::Int, 0}});
  std::unique_ptr<Arena> arena;
  ProbeSink sink, side;
  RefusalLog refusals;
  std::unique_ptr<WindowAggregate> window;
  MemoryBlobs blobs;
  std::set<uint64_t> identities;
  uint64_t id = 0;
  uint64_t offset = 0;
};

int64_t floor_to(int64_t time, int64_t period, int64_t offset) {
  int64_t rest = (time - offset) % period;
  if (rest < 0) rest += period;
  return time - rest;
}

struct Span {
  int64_t start, end;
  auto operator<=>(const Span&) const = default;
};

/// Windows by their definition, and the results of all records that were ever sent.
class Definition {
 public:
  explicit Definition(const Wanted& wanted) : wanted_(wanted) {
    const int64_t hop = wanted.kind == Kind::Tumbling ? wanted.size : wanted.hop;
    if (!wanted.zone.empty() && (hour % wanted.size != 0 || hour % hop != 0)) zone_ = zone_named(wanted.zone);
  }

  int64_t instant(int64_t local) const { return zone_ ? zone_->utc_of_local(local) : local; }

  std::set<Span> windows_of(int64_t time) const {
    const int64_t local = zone_ ? zone_->local_of(time) : time;
    const int64_t reach = zone_ ? 2 * hour : 0;
    const int64_t period = wanted_.kind == Kind::Hopping ? wanted_.hop : wanted_.size;
    std::set<Span> windows;
    const int64_t newest = floor_to(local + reach, period, wanted_.offset);
    for (int64_t start = newest; start > local - wanted_.size - reach - period; start -= period) {
      const int64_t step = wanted_.kind == Kind::Cumulate ? wanted_.hop : wanted_.size;
      for (int64_t end = start + step; end <= start + wanted_.size; end += step) {
        const Span window{instant(start), instant(end)};
        if (window.start <= time && time < window.end) windows.insert(window);
      }
    }
    return windows;
  }

  Outcome send(const std::string& key, int64_t time, int64_t value) {
    const std::set<Span> windows = windows_of(time);
    if (windows.empty()) return Outcome::Filtered;
    size_t gone = 0;
    bool updates = false;
    for (const Span& window : windows) {
      if (window.end - 1 + wanted_.lateness <= watermark) {
        ++gone;
        continue;
      }
      Content& content = contents_[{key, window}];
      content.records.push_back({time, value});
      times_[key].push_back(time);
      if (content.firings > 0) updates = true;
      content.due = content.firings == 0 || window.end - 1 <= watermark;
      if (wanted_.early > 0 && content.early_at == INT64_MAX) content.early_at = early_after(window);
    }
    if (gone == windows.size()) return Outcome::Late;
    partial += gone > 0 ? 1 : 0;
    late_updates += updates ? 1 : 0;
    return Outcome::Applied;
  }

  void advance(int64_t to) {
    watermark = std::max(watermark, to);
    while (turn()) {
    }
    std::erase_if(contents_, [&](const auto& entry) { return entry.first.second.end - 1 + wanted_.lateness <= watermark; });
  }

  int64_t watermark = INT64_MIN;
  uint64_t partial = 0, late_updates = 0;
  std::string lines;

 private:
  struct Content {
    std::vector<std::pair<int64_t, int64_t>> records;
    int64_t firings = 0;
    bool due = false;
    int64_t early_at = INT64_MAX;
  };

  /// Fires what comes first of all that is due, so that windows without records take their turn.
  bool turn() {
    using Turn = std::tuple<int64_t, std::string, Span>;
    std::set<Turn> turns;
    for (auto& [at, content] : contents_) {
      const auto& [key, window] = at;
      if (content.due && window.end - 1 <= watermark) turns.insert({window.end, key, window});
      if (window.end - 1 > watermark && content.early_at - 1 <= watermark) turns.insert({content.early_at, key, window});
    }
    if (turns.empty()) return false;
    const auto [time, key, window] = *turns.begin();
    fire(key, window, time);
    return true;
  }

  /// Windows without records follow on those that have fired.
  void make_empty(const std::string& key, const Span& fired) {
    const int64_t hop = wanted_.kind == Kind::Tumbling ? wanted_.size : wanted_.hop;
    Span next = fired;
    // Of a zone each ms would be too many; their windows are tried in a test of their own.
    for (int64_t end = fired.end + 1; next == fired; ++end)
      for (const Span& window : windows_of(end - 1))
        if (window.end == end) next = window;
    int64_t since = INT64_MIN;
    const WindowGrid grid(wanted_.kind, wanted_.size, hop, wanted_.offset);
    for (int64_t time : times_[key])
      if (time < next.end) since = std::max(since, grid.slice_end(*grid.slice_of(time)));
    if (next.start >= since + wanted_.empty) return;
    Content& content = contents_[{key, next}];
    content.due |= content.firings == 0;
  }

  int64_t early_after(const Span& window) const {
    for (int64_t at = window.start + wanted_.early; at < window.end; at += wanted_.early)
      if (at > watermark + 1) return at;
    return INT64_MAX;
  }

  void fire(const std::string& key, const Span& window, int64_t time) {
    Content& content = contents_[{key, window}];
    int64_t sum = 0, greatest = INT64_MIN;
    std::pair<int64_t, int64_t> first{INT64_MAX, 0}, last{INT64_MIN, 0};
    for (const auto& record : content.records) {
      sum += record.second;
      greatest = std::max(greatest, record.second);
      if (record.first < first.first) first = record;
      if (record.first >= last.first) last = record;
    }
    lines += key + (content.records.empty() ? " 0 null null null null" : "");
    if (!content.records.empty())
      for (int64_t number : {static_cast<int64_t>(content.records.size()), sum, first.second, last.second, greatest})
        lines += " " + std::to_string(number);
    lines += " " + std::to_string(window.start) + " " + std::to_string(window.end);
    const bool early = time < window.end;
    if (wanted_.lateness > 0 || wanted_.early > 0)
      lines += " " + std::to_string(early ? -(time - window.start) / wanted_.early : content.firings);
    lines += "\n";
    content.early_at = INT64_MAX;
    if (early) return;
    ++content.firings;
    content.due = false;
    // What a late record opens behind windows that have fired has no followers.
    const bool in_turn = !newest_fired_.contains(key) || window.end > newest_fired_[key];
    if (wanted_.empty > 0 && in_turn) make_empty(key, window);
    if (in_turn) newest_fired_[key] = window.end;
  }

  Wanted wanted_;
  std::optional<TimeZone> zone_;
  std::map<std::pair<std::string, Span>, Content> contents_;
  std::map<std::string, std::vector<int64_t>> times_;
  std::map<std::string, int64_t> newest_fired_;
};

/// Lets the step do what the watermark makes due, with little room downstream and now and then a restart.
std::string advance(Rig& rig, std::mt19937& random, const std::function<bool()>& turn) {
  std::string lines;
  for (bool done = false; !done;) {
    rig.sink.room = 1 + random() % 3;
    done = turn();
    lines += rig.out();
    if (random() % 25 == 0) rig.checkpoint(false);
    if (random() % 40 == 0) {
      rig.checkpoint();
      rig.restart();
      done = false;
    }
  }
  return lines;
}

void agree(const Wanted& wanted, unsigned seed, int64_t begin, int64_t pace, int64_t edge) {
  printf("seed=%u ", seed);
  std::mt19937 random(seed);
  auto below = [&](int64_t limit) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(std::max<int64_t>(1, limit)));
  };
  Rig rig(wanted);
  Definition definition(wanted);
  int64_t now = begin;
  int64_t newest = INT64_MIN;
  std::string lines;
  for (int count = 0; count < 700; ++count) {
    now += below(pace);
    if (below(150) == 0) now += below(pace * 200);
    int64_t time = now - below(wanted.max_delay + wanted.lateness + wanted.size / 2 + 2);
    if (below(100) < 70) time = floor_to(time, edge, wanted.offset) + below(3) - 1;
    if (below(100) == 0) time = now + below(wanted.size * 2);
    const std::string key = "k" + std::to_string(below(4));
    const int64_t value = below(1000);
    const Outcome outcome = rig.send(key, time, value);
    if (outcome != definition.send(key, time, value)) FAIL("one took the record and the other did not");
    newest = std::max(newest, time);
    const int64_t watermark = newest - wanted.max_delay - 1;
    definition.advance(watermark);
    lines += advance(rig, random, [&] { return rig.window->advance(watermark); });
    if (lines == definition.lines) continue;
    STRCMP_EQUAL(definition.lines.c_str(), lines.c_str());
    return;
  }
  CHECK(rig.window->late_partial() == definition.partial);
  CHECK(rig.window->late_updates() == definition.late_updates);
  definition.advance(INT64_MAX / 2);
  lines += advance(rig, random, [&] { return rig.window->advance(INT64_MAX / 2); });
  STRCMP_EQUAL(definition.lines.c_str(), lines.c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
  UNSIGNED_LONGS_EQUAL(0, rig.refusals.count);
}

}  // namespace

TEST_GROUP(WindowKinds) {
  unsigned seed = 0;
  std::mt19937 random{20240611};

  int64_t below(int64_t limit) { return static_cast<int64_t>(random() % static_cast<uint64_t>(limit)); }
  Wanted shaken(Kind kind) {
    Wanted wanted{.kind = kind, .size = 1 + below(60), .hop = 1 + below(40), .offset = below(300) - 150};
    if (kind == Kind::Cumulate) wanted.size = wanted.hop * (1 + below(8));
    wanted.max_delay = below(3) == 0 ? 0 : below(60);
    wanted.lateness = below(2) == 0 ? 0 : 1 + below(80);
    return wanted;
  }
  int64_t edge_of(const Wanted& wanted) { return wanted.kind == Kind::Tumbling ? wanted.size : wanted.hop; }
};

TEST(WindowKinds, hopping_windows_are_as_they_are_defined) {
  for (int turn = 0; turn < 40; ++turn) {
    const Wanted wanted = shaken(Kind::Hopping);
    agree(wanted, ++seed, below(2000) - 1000, 6, edge_of(wanted));
  }
}

TEST(WindowKinds, cumulations_are_as_they_are_defined) {
  for (int turn = 0; turn < 40; ++turn) {
    const Wanted wanted = shaken(Kind::Cumulate);
    agree(wanted, ++seed, below(2000) - 1000, 6, edge_of(wanted));
  }
}

TEST(WindowKinds, tumbling_windows_with_lateness_and_early_results_are_as_they_are_defined) {
  for (int turn = 0; turn < 40; ++turn) {
    Wanted wanted = shaken(Kind::Tumbling);
    if (wanted.size > 1 && turn % 3 != 0) wanted.early = 1 + below(wanted.size - 1);
    agree(wanted, ++seed, below(2000) - 1000, 6, edge_of(wanted));
  }
}

TEST(WindowKinds, hopping_windows_with_early_results_are_as_they_are_defined) {
  for (int turn = 0; turn < 60; ++turn) {
    Wanted wanted = shaken(Kind::Hopping);
    wanted.size += 1;
    wanted.early = 1 + below(wanted.size - 1);
    agree(wanted, ++seed, below(2000) - 1000, 6, turn % 2 == 0 ? edge_of(wanted) : wanted.early);
  }
}

TEST(WindowKinds, windows_without_records_follow_for_as_long_as_is_asked) {
  for (int turn = 0; turn < 90; ++turn) {
    Wanted wanted = shaken(std::array{Kind::Tumbling, Kind::Hopping, Kind::Cumulate}[static_cast<size_t>(turn % 3)]);
    wanted.empty = 1 + below(turn % 2 == 0 ? 20 : 400);
    if (wanted.kind != Kind::Cumulate && wanted.size > 1 && turn % 4 == 0) wanted.early = 1 + below(wanted.size - 1);
    agree(wanted, ++seed, below(2000) - 1000, 6, edge_of(wanted));
  }
}

TEST(WindowKinds, the_end_of_the_input_makes_no_windows_without_records) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .empty = 1000});
  rig.send("a", 5);
  rig.window->advance(19);
  STRCMP_EQUAL("a 1 1 1 1 1 0 10\na 0 null null null null 10 20\n", rig.out().c_str());
  rig.window->advance(INT64_MAX);
  STRCMP_EQUAL("", rig.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
}

TEST(WindowKinds, days_without_records_are_as_long_as_the_days_of_their_zone) {
  Rig rig({.kind = Kind::Tumbling, .size = day, .zone = "Europe/Vienna", .empty = 2 * day});
  rig.send("a", spring - 3 * hour);
  rig.window->advance(spring + 30 * day);
  STRCMP_EQUAL(
      "a 1 1 1 1 1 1711753200000 1711839600000\n"
      "a 0 null null null null 1711839600000 1711922400000\n"
      "a 0 null null null null 1711922400000 1712008800000\n",
      rig.out().c_str());
}

TEST(WindowKinds, an_hour_that_never_comes_has_no_windows_without_records) {
  const Wanted kinds[] = {{.kind = Kind::Tumbling, .size = 25 * minute},
                          {.kind = Kind::Hopping, .size = 50 * minute, .hop = 20 * minute},
                          {.kind = Kind::Hopping, .size = 7 * minute, .hop = 25 * minute},
                          {.kind = Kind::Cumulate, .size = 6 * hour, .hop = 30 * minute}};
  for (Wanted wanted : kinds) {
    wanted.zone = "Europe/Vienna";
    wanted.empty = 6 * hour;
    for (int64_t change : {spring, autumn}) {
      Rig rig(wanted);
      // Some of these windows leave gaps.
      for (int64_t time = change - 2 * hour; rig.send("a", time) == Outcome::Filtered;) time += minute;
      rig.window->advance(change + day);
      std::set<Span> spans;
      for (const Seen& one : rig.sink.seen) {
        const std::string& text = one.values;
        const size_t end_at = text.rfind(' ');
        const Span span{strtoll(text.c_str() + text.rfind(' ', end_at - 1), nullptr, 10),
                        strtoll(text.c_str() + end_at, nullptr, 10)};
        CHECK_TRUE_TEXT(span.start < span.end, text.c_str());
        CHECK_TRUE_TEXT(spans.insert(span).second, text.c_str());
      }
      CHECK(spans.size() > 10);
      CHECK(spans.rbegin()->end > change + 3 * hour);
      UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
    }
  }
}

TEST(WindowKinds, of_processing_time_may_be_without_records_until_the_input_ends) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .empty = 20, .processing = true});
  rig.send("a", 5);
  rig.window->tick(29);
  STRCMP_EQUAL("a 1 1 1 1 1 0 10\na 0 null null null null 10 20\n", rig.out().c_str());
  rig.window->tick(60);
  STRCMP_EQUAL("a 0 null null null null 20 30\n", rig.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
  rig.send("a", 61);
  rig.window->tick(75);
  STRCMP_EQUAL("a 1 1 1 1 1 60 70\n", rig.out().c_str());
  rig.window->advance(INT64_MAX);
  STRCMP_EQUAL("", rig.out().c_str());
}

TEST(WindowKinds, of_processing_time_have_early_results_at_the_tick_that_comes) {
  Rig rig({.size = 20, .hop = 10, .early = 8, .processing = true});
  rig.window->tick(10);
  rig.send("a", 11);
  rig.window->tick(15);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->tick(17);
  STRCMP_EQUAL("a 1 1 1 1 1 0 20 -2\n", rig.out().c_str());
  rig.window->tick(19);
  STRCMP_EQUAL("a 1 1 1 1 1 10 30 -1\n", rig.out().c_str());
  rig.window->advance(INT64_MAX);
  STRCMP_EQUAL("a 1 1 1 1 1 0 20 0\na 1 1 1 1 1 10 30 0\n", rig.out().c_str());
}

TEST(WindowKinds, a_watermark_that_jumps_by_years_fires_what_there_is_room_for) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .empty = 1000, .max_keys = 3});
  for (const char* key : {"a", "b", "c"}) rig.send(key, 5);
  size_t results = 0, turns = 0;
  for (bool done = false; !done; ++turns) {
    rig.sink.room = 7;
    done = rig.window->advance(365 * day);
    CHECK(rig.sink.seen.size() <= 7);
    CHECK(rig.window->open_slices() <= 6);
    results += rig.sink.seen.size();
    rig.out();
    rig.checkpoint();
    rig.restart();
  }
  UNSIGNED_LONGS_EQUAL(3 * 101, results);
  UNSIGNED_LONGS_EQUAL(results / 7 + 1, turns);
}

TEST(WindowKinds, a_key_is_silent_for_exactly_as_long_as_is_asked) {
  for (const auto& [empty, windows] : {std::pair<int64_t, size_t>{10, 2}, {11, 3}, {20, 3}, {21, 4}}) {
    Rig rig({.kind = Kind::Tumbling, .size = 10, .empty = empty});
    rig.send("a", 5);
    rig.window->advance(10'000);
    UNSIGNED_LONGS_EQUAL(windows, rig.sink.seen.size());
    UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
  }
}

TEST(WindowKinds, a_key_that_gives_way_hands_on_its_records_and_no_windows_without_them) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .max_delay = 100, .empty = 1000, .max_keys = 1, .evict = Evict::Emit});
  rig.send("a", 5);
  rig.send("a", 45);
  rig.send("b", 46);
  STRCMP_EQUAL("a 1 1 1 1 1 0 10\na 1 1 1 1 1 40 50\n", rig.out().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.window->evicted());
}

TEST(WindowKinds, silent_keys_give_way_in_the_order_of_their_last_records_also_after_a_restart) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .empty = 1000, .max_keys = 2, .evict = Evict::Oldest});
  rig.send("b", 5);
  rig.send("a", 6);
  rig.window->advance(29);
  rig.out();
  rig.checkpoint();
  rig.restart();
  rig.send("c", 31);
  rig.window->advance(39);
  STRCMP_EQUAL("a 0 null null null null 30 40\nc 1 1 1 1 1 30 40\n", rig.out().c_str());
}

TEST(WindowKinds, of_processing_time_fire_at_the_end_of_the_input) {
  Rig rig({.kind = Kind::Tumbling, .size = 10, .processing = true});
  rig.send("a", 5);
  rig.window->advance(1000);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(INT64_MAX);
  STRCMP_EQUAL("a 1 1 1 1 1 0 10\n", rig.out().c_str());
}

TEST(WindowKinds, days_and_parts_of_days_follow_the_clocks_of_vienna) {
  const std::pair<int64_t, int64_t> hops[] = {{day, 6 * hour}, {6 * hour, 90 * minute}, {5 * hour, hour}, {hour, 40 * minute}};
  for (int64_t change : {spring, autumn}) {
    for (int64_t size : {day, 6 * hour, 7 * hour, 90 * minute, hour})
      agree({.kind = Kind::Tumbling, .size = size, .zone = "Europe/Vienna", .max_delay = 20 * minute, .lateness = below(hour)},
            ++seed, change - 2 * day, 12 * minute, 30 * minute);
    for (const auto& [size, hop] : hops)
      agree({.size = size, .hop = hop, .zone = "Europe/Vienna", .max_delay = 50 * minute, .lateness = below(2) * below(hour)},
            ++seed, change - 2 * day, 12 * minute, 10 * minute);
    agree({.kind = Kind::Cumulate, .size = day, .hop = hour, .zone = "Europe/Vienna", .max_delay = 90 * minute}, ++seed,
          change - 2 * day, 12 * minute, 30 * minute);
    agree({.kind = Kind::Cumulate, .size = day, .hop = 30 * minute, .zone = "Europe/Vienna", .lateness = hour}, ++seed,
          change - day, 9 * minute, 30 * minute);
  }
}

TEST(WindowKinds, each_device_goes_by_its_own_clock) {
  for (int turn = 0; turn < 10; ++turn) {
    Wanted wanted = shaken(turn % 2 == 0 ? Kind::Hopping : Kind::Tumbling);
    wanted.clocks = 4;
    if (turn % 3 == 0) wanted.empty = 1 + below(100);
    if (turn % 5 == 1 && wanted.size > 1) wanted.early = 1 + below(wanted.size - 1);
    Rig rig(wanted);
    std::vector<Definition> definitions(4, Definition(wanted));
    std::vector<std::string> lines(4);
    std::vector<int64_t> newest(4, INT64_MIN), now = {0, -1000, 50000, 7};
    for (int count = 0; count < 600; ++count) {
      const auto clock = static_cast<size_t>(1 + below(3));
      now[clock] += below(7);
      const int64_t time = now[clock] - below(wanted.max_delay + wanted.lateness + wanted.size);
      newest[clock] = std::max(newest[clock], time);
      const int64_t watermark = newest[clock] - wanted.max_delay - 1;
      const std::string key = "k" + std::to_string(clock);
      CHECK(rig.send(key, time, count, static_cast<uint32_t>(clock)) == definitions[clock].send(key, time, count));
      definitions[clock].advance(watermark);
      lines[clock] += advance(rig, random, [&] { return rig.window->advance_clock(static_cast<uint32_t>(clock), watermark); });
      STRCMP_EQUAL(definitions[clock].lines.c_str(), lines[clock].c_str());
    }
    CHECK(rig.window->follows_clocks());
  }
}

// ---- vectors of facts/flink.md

TEST(WindowKinds, hopping_windows_begin_where_flinks_do) {
  auto windows = [](int64_t size, int64_t hop, int64_t time) {
    Rig rig({.size = size, .hop = hop});
    const Outcome outcome = rig.send("a", time);
    rig.window->advance(1000);
    return std::string(outcome == Outcome::Filtered ? "none" : "") + rig.out();
  };
  STRCMP_EQUAL("a 1 1 1 1 1 10 20\na 1 1 1 1 1 15 25\n", windows(10, 5, 15).c_str());
  STRCMP_EQUAL("a 1 1 1 1 1 -12 -2\na 1 1 1 1 1 -8 2\na 1 1 1 1 1 -4 6\n", windows(10, 4, -3).c_str());
  STRCMP_EQUAL("none", windows(2, 5, 7).c_str());
  STRCMP_EQUAL("a 1 1 1 1 1 5 7\n", windows(2, 5, 6).c_str());
}

TEST(WindowKinds, the_bids_of_flinks_documentation_add_up) {
  auto sums = [](Wanted wanted) {
    wanted.max_delay = 10 * minute;
    Rig rig(wanted);
    const std::pair<int64_t, int64_t> bids[] = {{5, 4}, {7, 2}, {9, 5}, {11, 3}, {13, 1}, {17, 6}};
    for (const auto& [at, price] : bids) rig.send("a", at * minute, price);
    rig.window->advance(hour);
    std::string text;
    for (const Seen& one : rig.sink.seen) {
      int64_t count = 0, sum = 0, first = 0, last = 0, greatest = 0, start = 0, end = 0;
      sscanf(one.values.c_str(), "a %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &count,
             &sum, &first, &last, &greatest, &start, &end);
      text += std::to_string(start / minute) + "-" + std::to_string(end / minute) + "=" + std::to_string(sum) + " ";
    }
    return text;
  };
  STRCMP_EQUAL("0-10=11 10-20=10 ", sums({.kind = Kind::Tumbling, .size = 10 * minute}).c_str());
  STRCMP_EQUAL("1-11=11 11-21=10 ", sums({.kind = Kind::Tumbling, .size = 10 * minute, .offset = minute}).c_str());
  STRCMP_EQUAL("0-10=11 5-15=15 10-20=10 15-25=6 ", sums({.size = 10 * minute, .hop = 5 * minute}).c_str());
  STRCMP_EQUAL("0-6=4 0-8=6 0-10=11 10-12=3 10-14=4 10-16=4 10-18=10 10-20=10 ",
               sums({.kind = Kind::Cumulate, .size = 10 * minute, .hop = 2 * minute}).c_str());
}

TEST(WindowKinds, an_offset_is_brought_into_range) {
  const int64_t time = 1625011204000;  // 2021-06-30 00:00:04 UTC
  auto start = [&](int64_t minutes) {
    const WindowGrid grid(Kind::Tumbling, 10 * minute, 0, minutes * minute);
    return (*grid.slice_of(time) - (time - 4000)) / minute;
  };
  for (int64_t minutes : {-16, -6, 4}) LONGS_EQUAL(-6, start(minutes));
  for (int64_t minutes : {-4, 6, 16}) LONGS_EQUAL(-4, start(minutes));
  LONGS_EQUAL(0, start(0));
}

// ---- one by one

TEST(WindowKinds, a_hopping_window_fires_exactly_when_the_watermark_reaches_its_last_millisecond) {
  Rig rig({.size = 10, .hop = 5});
  rig.send("a", -1);
  rig.window->advance(-2);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(-1);
  STRCMP_EQUAL("a 1 1 1 1 1 -10 0\n", rig.out().c_str());
  rig.window->advance(3);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(4);
  STRCMP_EQUAL("a 1 1 1 1 1 -5 5\n", rig.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
}

TEST(WindowKinds, a_record_is_partly_late_when_some_of_its_windows_have_fired) {
  Rig rig({.size = 10, .hop = 5});
  rig.window->advance(9);
  CHECK(rig.send("a", 4) == Outcome::Late);
  UNSIGNED_LONGS_EQUAL(0, rig.window->late_partial());
  CHECK(rig.send("a", 5) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(1, rig.window->late_partial());
  CHECK(rig.send("a", 10) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(1, rig.window->late_partial());
  rig.checkpoint();
  rig.restart();
  UNSIGNED_LONGS_EQUAL(1, rig.window->late_partial());
  rig.window->advance(14);
  STRCMP_EQUAL("a 2 2 1 1 1 5 15\n", rig.out().c_str());
}

TEST(WindowKinds, a_late_record_goes_where_the_policy_says) {
  for (Late late : {Late::Drop, Late::Side, Late::DeadLetter}) {
    Rig rig({.kind = Kind::Tumbling, .late = late});
    rig.window->advance(9);
    const Outcome outcome = rig.send("a", 9);
    CHECK(outcome == (late == Late::Drop ? Outcome::Late : late == Late::Side ? Outcome::Applied : Outcome::DeadLetter));
    UNSIGNED_LONGS_EQUAL(late == Late::Side ? 1 : 0, rig.side.count);
    UNSIGNED_LONGS_EQUAL(late == Late::DeadLetter ? 1 : 0, rig.refusals.count);
    if (late == Late::Side) STRCMP_EQUAL("a 1\n", rig.side.lines().c_str());
    if (late == Late::DeadLetter) STRCMP_EQUAL("late", rig.refusals.last_reason.c_str());
    rig.side.room = rig.side.count;
    CHECK(rig.window->ready() == (late != Late::Side));
  }
}

TEST(WindowKinds, lateness_ends_exactly_when_the_watermark_has_reached_it) {
  for (int64_t watermark : {13, 14}) {
    Rig rig({.kind = Kind::Tumbling, .lateness = 5});
    rig.send("a", 1, 3);
    rig.window->advance(watermark);
    STRCMP_EQUAL("a 1 3 3 3 3 0 10 0\n", rig.out().c_str());
    CHECK(rig.send("a", 2, 4) == (watermark == 13 ? Outcome::Applied : Outcome::Late));
    rig.window->advance(watermark);
    STRCMP_EQUAL(watermark == 13 ? "a 2 7 3 4 4 0 10 1\n" : "", rig.out().c_str());
    UNSIGNED_LONGS_EQUAL(watermark == 13 ? 1 : 0, rig.window->late_updates());
  }
}

TEST(WindowKinds, windows_of_processing_time_are_never_merged_by_a_late_tick) {
  Rig rig({.kind = Kind::Tumbling, .processing = true});
  CHECK(rig.window->wants_ticks());
  rig.send("a", 3, 3);
  rig.window->tick(9);
  for (int64_t now : {12, 15, 29}) CHECK(rig.send("a", now, now) == Outcome::Applied);
  CHECK(rig.window->advance(1000));
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->tick(35);
  STRCMP_EQUAL("a 1 3 3 3 3 0 10\na 2 27 12 15 15 10 20\na 1 29 29 29 29 20 30\n", rig.out().c_str());
  CHECK(rig.send("a", 31) == Outcome::Applied);
  rig.window->tick(39);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->tick(40);
  STRCMP_EQUAL("a 1 1 1 1 1 30 40\n", rig.out().c_str());
}

TEST(WindowKinds, emit_hands_on_what_has_not_fired_and_oldest_nothing) {
  for (Evict evict : {Evict::Emit, Evict::Oldest, Evict::Reject}) {
    Rig rig({.size = 10, .hop = 5, .max_delay = 20, .max_keys = 1, .evict = evict});
    rig.send("a", 7);
    rig.window->advance(9);
    STRCMP_EQUAL("a 1 1 1 1 1 0 10\n", rig.out().c_str());
    CHECK(rig.send("b", 7) == (evict == Evict::Reject ? Outcome::DeadLetter : Outcome::Applied));
    STRCMP_EQUAL(evict == Evict::Emit ? "a 1 1 1 1 1 5 15\n" : "", rig.out().c_str());
    rig.window->advance(100);
    STRCMP_EQUAL(evict == Evict::Reject ? "a 1 1 1 1 1 5 15\n" : "b 1 1 1 1 1 5 15\n", rig.out().c_str());
  }
}

TEST(WindowKinds, an_hour_of_seconds_has_a_bounded_number_of_slices_per_key) {
  Rig rig({.size = hour, .hop = 1000, .max_delay = 2000, .max_keys = 2});
  std::string reason;
  for (const Pool& pool : rig.arena->pools())
    if (pool.name == "p.w.slots") reason = pool.reason;
  // count, sum, first, last and max of an int, 32 bytes of header, a key of up to 12 bytes.
  CHECK_TRUE_TEXT(reason.starts_with("2 keys x 3603 slices + 1, x "), reason.c_str());
  for (int64_t time = 0; time < hour + 5 * minute; time += 500) {
    CHECK(rig.send("a", time) == Outcome::Applied);
    rig.sink.keep = false;
    rig.window->advance(time - 2001);
    CHECK(rig.window->open_slices() <= 3603);
  }
  WindowSpec spec = rig.spec();
  spec.windows.size_ms = 90 * day;
  const std::vector<WindowFault> faults = WindowAggregate::check(spec, rig.input);
  UNSIGNED_LONGS_EQUAL(1, faults.size());
  CHECK(faults[0].part == WindowFault::Part::Hop);
  CHECK(faults[0].message.starts_with("one key would need 7776003 slices of 1000 ms, more than 100000; make `every` longer"));
}

TEST(WindowKinds, a_cumulation_keeps_what_has_fired_in_one_slice) {
  Rig rig({.kind = Kind::Cumulate, .size = 1000, .hop = 1});
  for (int64_t time = 0; time < 999; ++time) {
    CHECK(rig.send("a", time) == Outcome::Applied);
    rig.window->advance(time - 1);
    CHECK(rig.window->open_slices() <= 2);
  }
  UNSIGNED_LONGS_EQUAL(998, rig.sink.count);
}

TEST(WindowKinds, a_key_that_is_half_given_up_fires_nothing_twice) {
  Rig rig({.size = 10, .hop = 5, .max_delay = 20, .max_keys = 1, .evict = Evict::Emit});
  rig.send("a", 7);
  rig.sink.room = 1;
  CHECK(rig.send("b", 7) == Outcome::DeadLetter);
  CHECK(rig.send("a", 4) == Outcome::DeadLetter);
  rig.sink.room = 100;
  rig.window->advance(100);
  STRCMP_EQUAL("a 1 1 1 1 1 0 10\na 1 1 1 1 1 5 15\n", rig.out().c_str());
}

TEST(WindowKinds, each_window_of_a_hop_hands_on_early_what_it_has_got_if_there_is_something_new) {
  Rig rig({.size = 20, .hop = 10, .early = 8});
  rig.send("a", 11);
  rig.window->advance(6);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(7);
  STRCMP_EQUAL("a 1 1 1 1 1 0 20 -1\n", rig.out().c_str());
  rig.window->advance(15);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.send("a", 16);
  rig.window->advance(16);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(17);
  STRCMP_EQUAL("a 2 2 1 1 1 10 30 -1\n", rig.out().c_str());
  rig.window->advance(25);
  STRCMP_EQUAL("a 2 2 1 1 1 0 20 0\n", rig.out().c_str());
  rig.window->advance(29);
  STRCMP_EQUAL("a 2 2 1 1 1 10 30 0\n", rig.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, rig.window->open_slices());
}

TEST(WindowKinds, a_watermark_that_jumps_hands_on_early_results_only_of_windows_that_have_not_ended) {
  Rig rig({.size = 20, .hop = 10, .max_delay = 30, .early = 4});
  rig.send("a", 5);
  rig.send("a", 15);
  rig.window->advance(25);
  // [-10, 10) and [0, 20) are whole, and no result of a part comes behind theirs.
  STRCMP_EQUAL("a 1 1 1 1 1 -10 10 0\na 1 1 1 1 1 10 30 -1\na 2 2 1 1 1 0 20 0\n", rig.out().c_str());
  rig.window->advance(100);
  STRCMP_EQUAL("a 1 1 1 1 1 10 30 0\n", rig.out().c_str());
}

TEST(WindowKinds, early_results_that_are_due_outlive_a_restart) {
  Rig rig({.size = 20, .hop = 10, .early = 8});
  rig.send("a", 11);
  rig.checkpoint();
  rig.restart();
  rig.send("a", 12);
  rig.window->advance(15);
  STRCMP_EQUAL("a 2 2 1 1 1 0 20 -1\n", rig.out().c_str());
  rig.checkpoint();
  rig.restart();
  rig.window->advance(16);
  STRCMP_EQUAL("", rig.out().c_str());
  rig.window->advance(17);
  STRCMP_EQUAL("a 2 2 1 1 1 10 30 -1\n", rig.out().c_str());
}

TEST(WindowKinds, an_early_result_without_room_for_its_mark_is_left_out_and_counted) {
  // Four slices: those that begin at 10, 20, 30 and 50; that of [40, 60) would be one more.
  Rig rig({.size = 20, .hop = 10, .early = 8, .max_keys = 1});
  for (int64_t time : {25, 35, 55}) CHECK(rig.send("a", time) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(1, rig.window->evicted());
  rig.window->advance(57);
  STRCMP_EQUAL("a 1 1 1 1 1 10 30 0\na 2 2 1 1 1 20 40 0\na 1 1 1 1 1 30 50 0\na 1 1 1 1 1 50 70 -1\n", rig.out().c_str());
}

TEST(WindowKinds, an_early_result_that_found_no_room_comes_with_the_next_record_that_finds_some) {
  for (bool cut : {false, true}) {
    Rig rig({.size = 20, .hop = 10, .early = 8, .max_keys = 2});
    for (int64_t time : {5, -5}) rig.send("b", time);
    for (int64_t time : {25, 35, 55}) rig.send("a", time);
    UNSIGNED_LONGS_EQUAL(1, rig.window->evicted());
    rig.window->advance(16);
    STRCMP_EQUAL("b 1 1 1 1 1 -20 0 0\nb 1 1 1 1 1 0 20 -1\nb 2 2 1 1 1 -10 10 0\n", rig.out().c_str());
    if (cut) rig.checkpoint();
    if (cut) rig.restart();
    rig.send("a", 56);
    rig.window->advance(57);
    STRCMP_EQUAL(
        "b 1 1 1 1 1 0 20 0\na 1 1 1 1 1 10 30 0\na 2 2 1 1 1 20 40 0\n"
        "a 2 2 1 1 1 40 60 -1\na 1 1 1 1 1 30 50 0\na 2 2 1 1 1 50 70 -1\n",
        rig.out().c_str());
  }
}

TEST(WindowKinds, a_key_that_gives_way_hands_on_no_early_results) {
  Rig rig({.size = 20, .hop = 10, .early = 8, .max_keys = 1, .evict = Evict::Emit});
  rig.send("a", 11);
  rig.send("b", 12);
  STRCMP_EQUAL("a 1 1 1 1 1 0 20 0\na 1 1 1 1 1 10 30 0\n", rig.out().c_str());
}

TEST(WindowKinds, early_results_come_before_their_windows_end_and_not_of_cumulations) {
  auto faults = [](Kind kind, int64_t early) {
    Wanted wanted{.kind = kind, .size = 20, .hop = 10};
    WindowSpec spec = Rig(wanted).spec();
    spec.emit_every_ms = early;
    return WindowAggregate::check(spec, schema_of({{"device", Type::String, 12}, {"v", Type::Int, 0}}));
  };
  for (Kind kind : {Kind::Tumbling, Kind::Hopping}) {
    UNSIGNED_LONGS_EQUAL(0, faults(kind, 19).size());
    UNSIGNED_LONGS_EQUAL(1, faults(kind, 20).size());
    CHECK(faults(kind, 20)[0].part == WindowFault::Part::EmitEvery);
  }
  UNSIGNED_LONGS_EQUAL(1, faults(Kind::Cumulate, 5).size());
  CHECK(faults(Kind::Cumulate, 5)[0].part == WindowFault::Part::EmitEvery);
}

TEST(WindowKinds, saturates_at_the_ends_of_time) {
  for (Kind kind : {Kind::Tumbling, Kind::Hopping, Kind::Cumulate})
    for (const char* zone : {"", "Europe/Vienna", "-11:00"}) {
      const int64_t early = kind == Kind::Cumulate ? 0 : hour;
      Rig rig({.kind = kind, .size = 10 * hour, .hop = 5 * hour, .zone = zone, .lateness = 7, .early = early});
      for (int64_t time : {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}) rig.send("a", time);
      rig.checkpoint();
      rig.restart();
      CHECK(rig.window->advance(INT64_MAX - 1));
      CHECK(rig.window->advance(INT64_MAX));
    }
}
