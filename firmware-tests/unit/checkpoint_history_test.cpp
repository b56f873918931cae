#include "agent/runtime/checkpoint_history.h"

#include <vector>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(CheckpointHistory) {
  CheckpointHistory history;

  static CheckpointTimes times(uint64_t id) {
    return {id, CheckpointReason::Records, 1'700'000'000'000 + static_cast<int64_t>(id), 40, 2, 0, -1, 0};
  }
  CheckpointHistory restored(const CheckpointHistory& from, size_t cut = 0) {
    std::vector<uint8_t> bytes(CheckpointHistory::saved_bytes_max);
    ByteWriter out(bytes);
    from.save(out);
    CHECK_FALSE(out.overflowed());
    ByteReader in(out.bytes().first(out.size() - cut));
    CheckpointHistory again;
    CHECK(again.restore(in) == (cut == 0));
    return again;
  }
};

TEST(CheckpointHistory, begins_with_the_newest_and_forgets_the_oldest) {
  UNSIGNED_LONGS_EQUAL(0, history.size());
  for (uint64_t id = 1; id <= CheckpointHistory::entries_max + 3; ++id) history.add(times(id));
  UNSIGNED_LONGS_EQUAL(CheckpointHistory::entries_max, history.size());
  UNSIGNED_LONGS_EQUAL(CheckpointHistory::entries_max + 3, history[0].id);
  UNSIGNED_LONGS_EQUAL(4, history[history.size() - 1].id);
}

TEST(CheckpointHistory, learns_what_the_barrier_and_the_commit_took) {
  history.add(times(7));
  history.set_barrier(7, 123, 4567);
  LONGS_EQUAL(-1, history[0].async_us);
  history.complete(7, 890);
  history.complete(8, 1);
  LONGS_EQUAL(123, history[0].sync_us);
  UNSIGNED_LONGS_EQUAL(4567, history[0].bytes);
  LONGS_EQUAL(890, history[0].async_us);
}

TEST(CheckpointHistory, of_attempts_with_one_id_the_last_one_counts) {
  history.add(times(6));
  history.add(times(7));
  CheckpointTimes again = times(7);
  again.data_ms = 99;
  history.add(again);
  UNSIGNED_LONGS_EQUAL(2, history.size());
  LONGS_EQUAL(99, history[0].data_ms);
  UNSIGNED_LONGS_EQUAL(6, history[1].id);
}

TEST(CheckpointHistory, comes_back_from_its_bytes_full_and_empty) {
  UNSIGNED_LONGS_EQUAL(0, restored(history).size());
  for (uint64_t id = 1; id <= 20; ++id) {
    history.add(times(id));
    history.set_barrier(id, static_cast<int64_t>(id) * 10, id * 100);
    if (id != 20) history.complete(id, static_cast<int64_t>(id) * 1000);
  }
  const CheckpointHistory again = restored(history);
  UNSIGNED_LONGS_EQUAL(history.size(), again.size());
  for (size_t age = 0; age < history.size(); ++age) {
    UNSIGNED_LONGS_EQUAL(history[age].id, again[age].id);
    CHECK(history[age].reason == again[age].reason);
    LONGS_EQUAL(history[age].created_wall_ms, again[age].created_wall_ms);
    LONGS_EQUAL(history[age].timer_ms, again[age].timer_ms);
    LONGS_EQUAL(history[age].data_ms, again[age].data_ms);
    LONGS_EQUAL(history[age].sync_us, again[age].sync_us);
    LONGS_EQUAL(history[age].async_us, again[age].async_us);
    UNSIGNED_LONGS_EQUAL(history[age].bytes, again[age].bytes);
  }
}

TEST(CheckpointHistory, refuses_bytes_that_are_cut_short_or_name_more_than_there_can_be) {
  history.add(times(1));
  restored(history, 1);
  const uint8_t many[] = {17, 0};
  ByteReader in{Bytes(many)};
  CHECK_FALSE(history.restore(in));
}
