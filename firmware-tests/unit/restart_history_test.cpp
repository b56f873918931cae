#include "agent/app/restart_history.h"

#include <string>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr Now now_then{5'000'000, 1'800'000'000'000};
constexpr size_t pair_bytes = 2048;

}  // namespace

TEST_GROUP(RestartHistory) {
  TemporaryDirectory directory;
  std::string path() const { return directory.file("weir.restarts"); }
  void note(std::string_view name, uint64_t failures, bool running) const {
    RestartHistory history;
    history.open(directory.path(), {"p", "q"});
    RestartRecord record;
    record.state.failures = failures;
    record.running = running;
    record.fingerprint = 7;
    record.set_cause("because");
    CHECK_TRUE(history.put(name, record, now_then).ok());
    CHECK_TRUE(history.sync().ok());
  }
  LastRun recall(std::string_view name, RestartRecord & record, Now now = now_then) const {
    RestartHistory history;
    history.open(directory.path(), {"p", "q"});
    return history.recall(name, now, record);
  }
  uint64_t failures(std::string_view name) const {
    RestartRecord record;
    recall(name, record);
    return record.state.failures;
  }
  /// Damages a byte of the n-th place.
  void damage(size_t place) const {
    std::string bytes = read_whole_file(path());
    bytes[place * 1024 + 100] = static_cast<char>(bytes[place * 1024 + 100] ^ 1);
    CHECK_TRUE(write_whole_file(path(), bytes).ok());
  }
};

TEST(RestartHistory, knows_nothing_at_first) {
  RestartRecord record;
  CHECK(recall("p", record) == LastRun::Unknown);
  UNSIGNED_LONGS_EQUAL(2 * pair_bytes, read_whole_file(path()).size());
}

TEST(RestartHistory, brings_back_what_another_process_noted) {
  note("p", 3, true);
  note("q", 5, false);
  RestartRecord record;
  CHECK(recall("p", record) == LastRun::Died);
  UNSIGNED_LONGS_EQUAL(3, record.state.failures);
  UNSIGNED_LONGS_EQUAL(7, record.fingerprint);
  STRCMP_EQUAL("because", record.cause.data());
  CHECK(recall("q", record) == LastRun::Orderly);
  UNSIGNED_LONGS_EQUAL(5, record.state.failures);
}

TEST(RestartHistory, a_note_that_was_cut_short_leaves_the_one_before) {
  for (uint64_t number = 1; number <= 4; ++number) note("p", number, false);
  UNSIGNED_LONGS_EQUAL(4, failures("p"));
  damage(0);  // the fourth: the first went into the second place
  UNSIGNED_LONGS_EQUAL(3, failures("p"));
}

TEST(RestartHistory, what_is_damaged_altogether_is_forgotten_and_begun_anew) {
  note("p", 1, false);
  note("p", 2, false);
  note("q", 9, false);
  damage(0);
  damage(1);
  RestartFile file;
  CHECK_TRUE(file.open(directory.path(), {"p", "q"}).ok());
  CHECK_TRUE(file.damaged());
  UNSIGNED_LONGS_EQUAL(0, failures("p"));
  UNSIGNED_LONGS_EQUAL(9, failures("q"));
  note("p", 3, false);
  UNSIGNED_LONGS_EQUAL(3, failures("p"));
}

TEST(RestartHistory, a_file_that_is_none_of_ours_is_begun_anew) {
  CHECK_TRUE(write_whole_file(path(), "something else").ok());
  RestartFile file;
  CHECK_TRUE(file.open(directory.path(), {"p"}).ok());
  CHECK_TRUE(file.damaged());
  note("p", 3, false);
  UNSIGNED_LONGS_EQUAL(3, failures("p"));
}

TEST(RestartHistory, a_name_that_came_later_gets_the_place_of_one_that_left) {
  note("p", 1, false);
  RestartFile file;
  CHECK_TRUE(file.open(directory.path(), {"r", "p"}).ok());
  CHECK_TRUE(file.find("r").empty());
  CHECK_TRUE(file.put("r", as_bytes("record")).ok());
  STRCMP_EQUAL("record", std::string(as_text(file.find("r"))).c_str());
  CHECK(file.put("q", {}).code() == Code::NotFound);
  UNSIGNED_LONGS_EQUAL(2 * pair_bytes, read_whole_file(path()).size());
}

TEST(RestartHistory, takes_one_more_name_in_while_it_runs) {
  note("p", 3, false);
  RestartHistory history;
  history.open(directory.path(), {"p", "q"});
  RestartRecord record;
  record.state.failures = 5;
  CHECK_TRUE(history.put("r", record, now_then).code() == Code::NotFound);
  CHECK_TRUE(history.admit("r").ok() && history.admit("r").ok());
  CHECK_TRUE(history.put("r", record, now_then).ok());
  RestartHistory next;
  next.open(directory.path(), {"p", "r"});
  CHECK_TRUE(next.recall("r", now_then, record) == LastRun::Orderly);
  UNSIGNED_LONGS_EQUAL(5, record.state.failures);
  CHECK_TRUE(next.recall("p", now_then, record) == LastRun::Orderly);
  UNSIGNED_LONGS_EQUAL(3, record.state.failures);
}

TEST(RestartHistory, a_clock_that_began_anew_is_a_power_cut) {
  note("p", 1, true);
  RestartRecord record;
  CHECK(recall("p", record, {100, now_then.wall_ms + 60'000}) == LastRun::PowerLost);
  // Noted at 5,000 s of the old clock with times of 0: 60 s have passed, and the new clock shows 0.1 s.
  LONGS_EQUAL(100 - 60'000 - now_then.boot_ms, record.state.next_restart_ms);
}

TEST(RestartHistory, over_a_reboot_time_passes_by_wall_clocks_that_were_set) {
  constexpr int64_t set_ms = 1'800'000'000'000;
  LONGS_EQUAL(500 - 2000 - 9000, restart_clock_shift_ms({9000, set_ms}, {500, set_ms + 2000}));
  LONGS_EQUAL(500 - 9000, restart_clock_shift_ms({9000, 1000}, {500, set_ms}));
  LONGS_EQUAL(500 - 9000, restart_clock_shift_ms({9000, set_ms}, {500, 1000}));
  LONGS_EQUAL(500 - 9000, restart_clock_shift_ms({9000, set_ms + 1}, {500, set_ms}));
}
