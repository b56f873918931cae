#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(DeadLetters) {
  StoreFixture fixture;
  uint32_t op = 0;
  uint64_t next_id = 1;

  void open(DeadLetterLimits limits) {
    CHECK_OK(fixture.open({limits}));
    op = fixture.part("source");
  }
  SqliteCheckpointStore& store() { return *fixture.store; }
  /// One checkpoint with a letter for each payload.
  void set_aside(const std::vector<std::string>& payloads) {
    std::vector<DeadLetter> letters;
    for (const std::string& payload : payloads)
      letters.push_back({"json", "", "source", "t", as_bytes(payload), payload.size(), 0, 0});
    CHECK_OK(fixture.commit(TestCheckpoint(next_id).state(op, "x").letters(letters)));
    ++next_id;
  }
  std::string payloads(uint32_t pipeline, int64_t after = 0, size_t limit = SIZE_MAX) {
    std::string text;
    CHECK_OK(store().list_dead_letters(pipeline, after, limit, [&](const StoredDeadLetter& stored) {
      text += std::string(as_text(stored.letter.payload)) + " ";
    }));
    return text;
  }
  std::string counts(uint32_t pipeline) {
    Result<CheckpointStore::DeadLetterCounts> counted = store().count_dead_letters(pipeline);
    CHECK_OK(counted.status());
    const auto& counts = counted.value();
    return std::to_string(counts.rows) + " rows " + std::to_string(counts.bytes) + " bytes " + std::to_string(counts.purged) +
           " purged";
  }
};

TEST(DeadLetters, come_back_with_all_that_is_known_of_them) {
  open({});
  const std::string_view odd("\xff\0{", 3);
  DeadLetter letter{"type", "temperature: expected float", "per-minute", odd, as_bytes(odd), 12345, 99, 1700000000123};
  CHECK_OK(fixture.commit(TestCheckpoint(4).state(op, "x").letters({&letter, 1})));
  CHECK_OK(fixture.reopen());
  int seen = 0;
  CHECK_OK(store().list_dead_letters(fixture.pipeline, 0, 10, [&](const StoredDeadLetter& stored) {
    ++seen;
    CHECK(stored.id == 1);
    CHECK(stored.pipeline == "p");
    CHECK(stored.checkpoint_id == 4);
    CHECK(stored.letter.reason == "type");
    CHECK(stored.letter.detail == "temperature: expected float");
    CHECK(stored.letter.step == "per-minute");
    CHECK(stored.letter.topic == odd);
    CHECK(as_text(stored.letter.payload) == odd);
    CHECK(stored.letter.payload_size == 12345);
    CHECK(stored.letter.offset == 99);
    CHECK(stored.letter.arrival_ms == 1700000000123);
  }));
  LONGS_EQUAL(1, seen);
}

TEST(DeadLetters, an_empty_payload_and_topic_are_kept) {
  open({});
  DeadLetter letter;
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(op, "x").letters({&letter, 1})));
  STRCMP_EQUAL("1 rows 0 bytes 0 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, as_many_rows_as_the_limit_stay_and_the_oldest_makes_room_for_one_more) {
  open({3, 1000});
  set_aside({"a", "b"});
  set_aside({"c"});
  STRCMP_EQUAL("a b c ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("3 rows 3 bytes 0 purged", counts(fixture.pipeline).c_str());
  set_aside({"d"});
  STRCMP_EQUAL("b c d ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("3 rows 3 bytes 1 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, as_many_bytes_as_the_limit_stay_and_one_more_pushes_out_the_oldest) {
  open({100, 8});
  set_aside({"aaaa", "bbb", "c"});
  STRCMP_EQUAL("3 rows 8 bytes 0 purged", counts(fixture.pipeline).c_str());
  set_aside({"d"});
  STRCMP_EQUAL("bbb c d ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("3 rows 5 bytes 1 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, more_in_one_checkpoint_than_the_limit_leaves_the_newest) {
  open({2, 1000});
  set_aside({"a", "b", "c", "d", "e"});
  STRCMP_EQUAL("d e ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("2 rows 2 bytes 3 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, one_that_is_larger_than_the_limit_is_counted_and_not_kept) {
  open({10, 4});
  set_aside({"a"});
  set_aside({"12345"});
  STRCMP_EQUAL("0 rows 0 bytes 2 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, counts_and_a_smaller_limit_hold_after_a_restart) {
  open({5, 1000});
  set_aside({"a", "b", "c", "d", "e", "f"});
  fixture.close();
  open({2, 1000});
  STRCMP_EQUAL("5 rows 5 bytes 1 purged", counts(fixture.pipeline).c_str());
  set_aside({});
  STRCMP_EQUAL("e f ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("2 rows 2 bytes 4 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, limits_and_lists_are_per_pipeline_and_zero_means_all) {
  open({2, 1000});
  const uint32_t other = store().open_pipeline("q", {{1, 1000}}).value().pipeline;
  const uint32_t other_op = store().operator_number(other, "source").value();
  set_aside({"a"});
  DeadLetter letters[] = {{"", "", "", "", as_bytes("x"), 1, 0, 0}, {"", "", "", "", as_bytes("y"), 1, 0, 0}};
  CHECK_OK(store().commit(TestCheckpoint(1).state(other_op, "s").letters(letters).write(other)));
  set_aside({"b"});
  STRCMP_EQUAL("a b ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("y ", payloads(other).c_str());
  STRCMP_EQUAL("a y b ", payloads(0).c_str());
  STRCMP_EQUAL("3 rows 3 bytes 1 purged", counts(0).c_str());
  CHECK(payloads(99).empty());
}

TEST(DeadLetters, are_listed_page_by_page) {
  open({});
  set_aside({"a", "b", "c", "d"});
  STRCMP_EQUAL("a b ", payloads(0, 0, 2).c_str());
  STRCMP_EQUAL("c d ", payloads(0, 2, 2).c_str());
  CHECK(payloads(0, 4, 2).empty());
  CHECK(payloads(0, 0, 0).empty());
}

TEST(DeadLetters, ids_are_not_used_again_after_the_newest_was_pushed_out) {
  open({10, 4});
  set_aside({"12345"});
  set_aside({"a"});
  STRCMP_EQUAL("a ", payloads(0, 1).c_str());
}

TEST(DeadLetters, of_a_checkpoint_that_is_refused_are_not_counted) {
  open({});
  DeadLetter letter;
  CHECK(!fixture.commit(TestCheckpoint(1).state(op, "x").state(op, "x").letters({&letter, 1})).ok());
  STRCMP_EQUAL("0 rows 0 bytes 0 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, above_a_limit_that_was_lowered_go_in_portions) {
  open({100'000, 1 << 20});
  for (int checkpoint = 0; checkpoint < 20; ++checkpoint) set_aside(std::vector<std::string>(60, "x"));
  CHECK_OK(store().open_pipeline("p", {{10, 1 << 20}}).status());
  set_aside({"y"});
  STRCMP_EQUAL("943 rows 943 bytes 258 purged", counts(fixture.pipeline).c_str());
  for (int checkpoint = 0; checkpoint < 4; ++checkpoint) set_aside({});
  STRCMP_EQUAL("10 rows 10 bytes 1191 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, that_come_when_it_is_full_are_counted_and_not_kept_where_that_is_wanted) {
  open({2, 1000, DeadLettersFull::Newest});
  set_aside({"a", "b", "c"});
  set_aside({"d"});
  STRCMP_EQUAL("a b ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("2 rows 2 bytes 2 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, hold_up_checkpoints_when_it_is_full_where_that_is_wanted_until_some_are_purged) {
  open({2, 1000, DeadLettersFull::Hold});
  set_aside({"a", "b"});
  const DeadLetter letter{"json", "", "source", "t", as_bytes("c"), 1, 0, 0};
  const Status full = fixture.commit(TestCheckpoint(next_id).state(op, "y").letters({&letter, 1}));
  CHECK(full.code() == Code::Full);
  STRCMP_CONTAINS("purge some", full.text());
  STRCMP_EQUAL("a b ", payloads(fixture.pipeline).c_str());
  DeadLetterSelection oldest;
  oldest.id = 1;
  UNSIGNED_LONGS_EQUAL(1, store().purge_dead_letters(oldest).value());
  set_aside({"c"});
  STRCMP_EQUAL("b c ", payloads(fixture.pipeline).c_str());
}

TEST(DeadLetters, that_were_replayed_go_with_the_checkpoint_that_says_so) {
  open({});
  set_aside({"a", "b", "c"});
  const int64_t replayed[] = {1, 3, 77};
  CHECK_OK(fixture.commit(TestCheckpoint(next_id).state(op, "y").replayed(replayed)));
  STRCMP_EQUAL("b ", payloads(fixture.pipeline).c_str());
  STRCMP_EQUAL("1 rows 1 bytes 0 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, are_selected_by_all_that_is_said) {
  open({});
  std::vector<DeadLetter> letters;
  for (int64_t number = 0; number < 6; ++number)
    letters.push_back({number % 2 == 0 ? "json" : "late", "", "source", "t", as_bytes("x"), 1, 0, number * 100});
  CHECK_OK(fixture.commit(TestCheckpoint(1).state(op, "x").letters(letters)));
  const auto ids = [&](const DeadLetterSelection& selection) {
    std::string text;
    CHECK_OK(store().select_dead_letters(selection, 10,
                                         [&](const StoredDeadLetter& stored) { text += std::to_string(stored.id) + " "; }));
    const SelectedLetters counted = store().count_dead_letters(selection).value();
    return text + "(" + std::to_string(counted.count) + " to " + std::to_string(counted.newest_id) + ")";
  };
  DeadLetterSelection selection;
  STRCMP_EQUAL("1 2 3 4 5 6 (6 to 6)", ids(selection).c_str());
  selection.reason = "late";
  STRCMP_EQUAL("2 4 6 (3 to 6)", ids(selection).c_str());
  selection.before_ms = 500;
  STRCMP_EQUAL("2 4 (2 to 4)", ids(selection).c_str());
  selection.after = 2;
  STRCMP_EQUAL("4 (1 to 4)", ids(selection).c_str());
  selection.up_to = 3;
  STRCMP_EQUAL("(0 to 0)", ids(selection).c_str());
  selection = {};
  selection.pipeline = "p";
  selection.id = 5;
  STRCMP_EQUAL("5 (1 to 5)", ids(selection).c_str());
  selection.pipeline = "q";
  STRCMP_EQUAL("(0 to 0)", ids(selection).c_str());
}

TEST(DeadLetters, are_purged_in_portions) {
  open({});
  for (int checkpoint = 0; checkpoint < 10; ++checkpoint) set_aside(std::vector<std::string>(60, "x"));
  UNSIGNED_LONGS_EQUAL(256, store().purge_dead_letters({}).value());
  UNSIGNED_LONGS_EQUAL(256, store().purge_dead_letters({}).value());
  UNSIGNED_LONGS_EQUAL(88, store().purge_dead_letters({}).value());
  UNSIGNED_LONGS_EQUAL(0, store().purge_dead_letters({}).value());
  STRCMP_EQUAL("0 rows 0 bytes 0 purged", counts(fixture.pipeline).c_str());
}

TEST(DeadLetters, of_a_database_from_before_attempts_are_read_and_then_counted) {
  open({});
  set_aside({"a"});
  fixture.store.reset();
  STRCMP_EQUAL("", plain_sql(fixture.database_path(), "ALTER TABLE dead_letter DROP COLUMN attempts").c_str());
  {
    SqliteCheckpointStore reader;
    CHECK_OK(reader.open(reading_options(fixture.options.state_dir)));
    int seen = 0;
    CHECK_OK(reader.list_dead_letters(0, 0, 10, [&](const StoredDeadLetter& stored) {
      ++seen;
      UNSIGNED_LONGS_EQUAL(0, stored.letter.attempts);
    }));
    LONGS_EQUAL(1, seen);
  }
  CHECK_OK(fixture.reopen());
  op = fixture.part("source");
  DeadLetter letter{"json", "", "source", "t", as_bytes("b"), 1, 0, 0, 4};
  CHECK_OK(fixture.commit(TestCheckpoint(next_id).state(op, "x").letters({&letter, 1})));
  DeadLetterSelection second;
  second.id = 2;
  CHECK_OK(store().select_dead_letters(
      second, 1, [](const StoredDeadLetter& stored) { UNSIGNED_LONGS_EQUAL(4, stored.letter.attempts); }));
}
