#include "agent/runtime/black_box.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "agent/app/black_box_report.h"
#include "agent/runtime/crash_handler.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"
#include "storage/mapped_file.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(BlackBox) {
  std::vector<uint64_t> words = std::vector<uint64_t>(BlackBox::bytes() / 8);
  BlackBox box{memory()};

  std::span<uint8_t> memory() { return {reinterpret_cast<uint8_t*>(words.data()), words.size() * 8}; }
  bool begin(int64_t boot_ms = 1000, std::string_view boot_id = "boot-a", uint64_t oom_kills = 0) {
    return box.begin_run({boot_id, "1.2.3", 77, oom_kills}, {boot_ms, 1'700'000'000'000 + boot_ms});
  }
  PipelineTrace& trace(std::string_view name = "p") {
    PipelineTrace* found = box.trace(name);
    CHECK_TRUE(found != nullptr);
    return *found;
  }
  /// The process dies with this message in hand, and another one starts.
  void die_with(uint64_t offset, uint64_t hash, int signal = SIGSEGV) {
    trace().in_hand.begin(offset, hash);
    box.crashing_run().crash.signal = signal;
    begin();
  }
  std::string account() {
    std::string text(2048, '\0');
    TextWriter out(text);
    tell_incident(box.incident(), box.previous_run(), out);
    return std::string(out.text());
  }
  std::vector<uint64_t> numbers() {
    std::vector<uint64_t> found;
    box.each_record([&](const FlightRecord& record) { found.push_back(record.first); });
    return found;
  }
};

TEST(BlackBox, is_nothing_before_the_first_run_and_tells_of_no_death_at_it) {
  CHECK_FALSE(box.sound());
  CHECK_FALSE(begin());
  CHECK_TRUE(box.sound());
  UNSIGNED_LONGS_EQUAL(77, box.run().pid);
  UNSIGNED_LONGS_EQUAL(0, box.previous_run().pid);
}

TEST(BlackBox, begins_anew_over_bytes_that_it_has_not_written) {
  for (uint64_t& word : words) word = 0xABABABABABABABAB;
  CHECK_FALSE(begin());
  UNSIGNED_LONGS_EQUAL(1, numbers().size());
  CHECK_TRUE(box.trace("p") != nullptr);
}

TEST(BlackBox, tells_of_no_death_after_an_orderly_end) {
  begin();
  trace().in_hand.begin(5, 6);
  box.end_run(RunEnd::Orderly, {2000, 2000});
  CHECK_FALSE(begin());
  UNSIGNED_LONGS_EQUAL(0, trace().suspect.deaths);
}

TEST(BlackBox, judges_each_kind_of_death) {
  begin();
  CHECK_TRUE(begin());
  CHECK_TRUE(box.incident().cause == DeathCause::Unknown);
  STRCMP_CONTAINS("killed without a word: SIGKILL", account().c_str());

  box.crashing_run().crash.signal = SIGBUS;
  CHECK_TRUE(begin());
  CHECK_TRUE(box.incident().cause == DeathCause::Signal);
  STRCMP_CONTAINS("died of SIGBUS", account().c_str());

  box.crashing_run().crash.signal = SIGABRT;
  box.mark_stuck("reactor, for 15 s");
  CHECK_TRUE(begin());
  CHECK_TRUE(box.incident().cause == DeathCause::Watchdog);
  STRCMP_CONTAINS("the watchdog ended it: reactor, for 15 s", account().c_str());

  CHECK_TRUE(begin(1000, "boot-a", 1));
  CHECK_TRUE(box.incident().cause == DeathCause::OutOfMemory);
  CHECK_TRUE(begin(1000, "boot-a", 1));
  CHECK_TRUE(box.incident().cause == DeathCause::Unknown);

  CHECK_TRUE(begin(10, "boot-b"));
  CHECK_TRUE(box.incident().cause == DeathCause::Machine);
  STRCMP_CONTAINS("T_down unknown", account().c_str());

  box.end_run(RunEnd::Failed, {2000, 2000});
  CHECK_TRUE(begin(3000, "boot-b"));
  CHECK_TRUE(box.incident().cause == DeathCause::Failure);
}

TEST(BlackBox, measures_from_the_last_sign_of_life_over_the_signal_to_the_next_start) {
  begin(1000);
  box.alive(5000);
  box.crashing_run().crash.signal = SIGSEGV;
  box.crashing_run().crash.boot_ms = 5070;
  begin(6500);
  LONGS_EQUAL(70, box.incident().detect_ms);
  LONGS_EQUAL(1430, box.incident().down_ms);
  LONGS_EQUAL(-1, box.incident().recovery_ms());
  box.incident().restore_ms = 20;
  box.incident().replay_ms = 300;
  LONGS_EQUAL(1820, box.incident().recovery_ms());
}

TEST(BlackBox, adds_what_no_checkpoint_covered_at_the_death) {
  begin(1000);
  PipelineTrace& idle = *box.trace("idle");
  idle.newest_offset = idle.checkpoint_offset = 9;
  idle.checkpoint_boot_ms = 1100;
  trace().newest_offset = 7;
  trace().checkpoint_offset = 6;
  trace().checkpoint_boot_ms = 4200;
  box.alive(5000);
  begin(6000);
  LONGS_EQUAL(800, box.incident().uncovered_ms);
  LONGS_EQUAL(-1, box.incident().fault_tolerance_ms());
  box.incident().restore_ms = 20;
  box.incident().replay_ms = 300;
  LONGS_EQUAL(800 + 1320, box.incident().fault_tolerance_ms());
  STRCMP_CONTAINS("T_recovery 1320 ms, T_fault_tolerance 2120 ms", account().c_str());
}

TEST(BlackBox, counts_from_the_start_where_there_was_no_checkpoint_and_nothing_across_a_boot) {
  begin(1000);
  trace().newest_offset = 1;
  box.alive(1500);
  begin(6000);
  LONGS_EQUAL(500, box.incident().uncovered_ms);
  trace().checkpoint_boot_ms = 6100;
  begin(10, "boot-b");
  LONGS_EQUAL(-1, box.incident().uncovered_ms);
  LONGS_EQUAL(0, trace().checkpoint_boot_ms);
}

TEST(BlackBox, counts_deaths_in_a_row_with_the_same_message_at_the_same_place) {
  begin();
  die_with(10, 99);
  UNSIGNED_LONGS_EQUAL(1, trace().suspect.deaths);
  die_with(10, 99, SIGABRT);
  UNSIGNED_LONGS_EQUAL(2, trace().suspect.deaths);
  die_with(10, 98);
  UNSIGNED_LONGS_EQUAL(1, trace().suspect.deaths);
  die_with(11, 98);
  UNSIGNED_LONGS_EQUAL(1, trace().suspect.deaths);
  UNSIGNED_LONGS_EQUAL(11, trace().suspect.offset);
  STRCMP_CONTAINS("in hand: message 11 of p, in \"source\"", account().c_str());
}

TEST(BlackBox, a_death_with_nothing_in_hand_neither_counts_nor_clears_a_suspicion) {
  begin();
  die_with(10, 99);
  trace().in_hand.begin(10, 99);
  trace().in_hand.end();
  begin();
  UNSIGNED_LONGS_EQUAL(1, trace().suspect.deaths);
  die_with(10, 99);
  UNSIGNED_LONGS_EQUAL(2, trace().suspect.deaths);
}

TEST(BlackBox, a_power_cut_and_a_failure_that_was_told_accuse_no_message) {
  begin();
  trace().in_hand.begin(10, 99);
  begin(5, "boot-b");
  UNSIGNED_LONGS_EQUAL(0, trace().suspect.deaths);
  trace().in_hand.begin(10, 99);
  box.end_run(RunEnd::Failed, {9, 9});
  begin(10, "boot-b");
  UNSIGNED_LONGS_EQUAL(0, trace().suspect.deaths);
}

TEST(BlackBox, a_message_whose_note_was_cut_short_is_not_believed) {
  begin();
  trace().in_hand.begin(10, 99);
  trace().in_hand.hash = 100;
  CHECK_FALSE(trace().in_hand.sound());
  begin();
  UNSIGNED_LONGS_EQUAL(0, trace().suspect.deaths);
}

TEST(BlackBox, names_the_step_that_the_message_was_in) {
  begin();
  trace().step_count = 1;
  copy_cut(trace().steps[0], "average");
  trace().in_hand.begin(10, 99);
  trace().in_hand.step = 1;
  begin();
  STRCMP_CONTAINS("in \"average\"", account().c_str());
  trace().in_hand.begin(10, 99);
  trace().in_hand.step = 2;
  begin();
  STRCMP_CONTAINS("in \"sink\", for the 2. time in a row", account().c_str());
}

TEST(BlackBox, keeps_the_newest_events_and_leaves_out_torn_ones) {
  begin();
  for (uint64_t number = 1; number <= BlackBox::records_max; ++number) box.note(FlightEvent::Connected, "p", {}, number, 0, {});
  UNSIGNED_LONGS_EQUAL(BlackBox::records_max, numbers().size());
  UNSIGNED_LONGS_EQUAL(1, numbers().front());
  box.note(FlightEvent::Connected, "p", {}, 1000, 0, {});
  UNSIGNED_LONGS_EQUAL(2, numbers().front());
  UNSIGNED_LONGS_EQUAL(1000, numbers().back());
  box.each_record([&](const FlightRecord& record) { CHECK_TRUE(text_in(record.pipeline) == "p"); });
  // The last event's bytes are found in the memory and one of them is changed, as half a page would.
  for (uint64_t& word : words)
    if (word == 1000) word = 1001;
  UNSIGNED_LONGS_EQUAL(BlackBox::records_max - 1, numbers().size());
}

TEST(BlackBox, has_places_for_so_many_pipelines_and_keeps_them) {
  begin();
  for (size_t number = 0; number < BlackBox::pipelines_max; ++number)
    trace("p" + std::to_string(number)).checkpoint_id = number;
  POINTERS_EQUAL(nullptr, box.trace("one more"));
  UNSIGNED_LONGS_EQUAL(63, trace("p63").checkpoint_id);
  const std::string text = black_box_text(box);
  STRCMP_CONTAINS("pipeline p63: offset 0, checkpoint 63", text.c_str());
}

TEST(BlackBox, cuts_names_and_texts_that_are_too_long) {
  begin();
  PipelineTrace& first = trace(std::string(100, 'n'));
  POINTERS_EQUAL(&first, box.trace(std::string(100, 'n')));
  box.note(FlightEvent::CheckpointFailed, std::string(100, 'n'), {}, 1, 2, std::string(100, 't'));
  box.mark_stuck(std::string(1000, 's'));
  STRCMP_CONTAINS((std::string(31, 'n') + "  1 2  " + std::string(47, 't') + "\n").c_str(), black_box_text(box).c_str());
}

// ---- the crash handler, in a process of its own

namespace {

// The signal is wanted, not a sanitizer's report in its place.
[[gnu::noinline, gnu::no_sanitize("undefined")]] void crash_at_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

}  // namespace

TEST_GROUP(CrashHandler) {
  TemporaryDirectory directory;
  MappedFile file;

  /// How a child ended that has done `deed` with its crashes recorded.
  template <class Deed>
  int end_of_child(Deed deed) {
    STRCMP_EQUAL("ok", file.open(directory.file("box"), BlackBox::bytes(), false).text());
    const pid_t child = fork();
    if (child == 0) {
      BlackBox box(file.memory());
      box.begin_run({"boot", "1", 1, 0}, {});
      record_crashes(box.crashing_run());
      deed();
      _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    return status;
  }
};

TEST(CrashHandler, leaves_signal_address_and_stack_and_the_signal_takes_its_course) {
  const int status = end_of_child([] { crash_at_null(); });
  CHECK_TRUE(WIFSIGNALED(status));
  LONGS_EQUAL(SIGSEGV, WTERMSIG(status));
  const BlackBox box(file.memory());
  const CrashRecord& crash = box.run().crash;
  LONGS_EQUAL(SIGSEGV, crash.signal);
  UNSIGNED_LONGS_EQUAL(0, crash.address);
  CHECK_TRUE(crash.boot_ms > 0);
  CHECK_TRUE(crash.frame_count >= 1);
  std::string text(128, '\0');
  TextWriter place(text);
  append_code_place(box.run(), crash.frames[0], place);
  CHECK_TRUE(place.text().starts_with("weir+0x"));
}

TEST(CrashHandler, notes_an_abort) {
  const int status = end_of_child([] { abort(); });
  LONGS_EQUAL(SIGABRT, WTERMSIG(status));
  LONGS_EQUAL(SIGABRT, BlackBox(file.memory()).run().crash.signal);
}

TEST(CrashHandler, survives_a_stack_that_has_overflowed) {
  const int status = end_of_child([] {
    struct Deep {
      static uint64_t dig(uint64_t level) {
        volatile char room[4096];
        room[0] = static_cast<char>(level);
        return level == UINT64_MAX ? 0 : dig(level + 1) + static_cast<uint64_t>(room[0]);
      }
    };
    if (Deep::dig(0) == 1) abort();
  });
  LONGS_EQUAL(SIGSEGV, WTERMSIG(status));
  LONGS_EQUAL(SIGSEGV, BlackBox(file.memory()).run().crash.signal);
}

TEST(CrashHandler, notes_nothing_once_it_is_told_to_forget) {
  const int status = end_of_child([] {
    forget_crashes();
    abort();
  });
  LONGS_EQUAL(SIGABRT, WTERMSIG(status));
  LONGS_EQUAL(0, BlackBox(file.memory()).run().crash.signal);
}
