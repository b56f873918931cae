// State that does not fit together is never taken for good: the start goes on from the checkpoint before it and says what that
// costs, or refuses; and it never begins empty unless it was told to.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

namespace {

using namespace weir;

class StoredStateTest : public GatewayTest {
 public:
  void stop_with_state() {
    start();
    for (int number = 0; number < 200; ++number) measure("d" + std::to_string(number % 7), number, number * 10);
    CHECK_TRUE(gateway->wait_received(200));
    CHECK_TRUE(gateway->stop_agent());
  }
  /// SIGKILL after messages were acknowledged by at least two checkpoints.
  void crash_with_state() {
    start();
    for (int number = 0; number < 100; ++number) measure("d" + std::to_string(number % 7), number, number * 10);
    CHECK_TRUE(gateway->wait_received(100));
    for (int number = 0; number < 50; ++number) measure("d1", number, 1000 + number * 10);
    CHECK_TRUE(gateway->wait_received(150));
    gateway->crash();
  }
  std::string log_of_start(bool starts) {
    const std::string before = gateway->agent().log();
    if (starts) {
      CHECK_TRUE(gateway->start_agent());
    } else {
      CHECK_TRUE(gateway->agent().start().ok());
      const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
      CHECK_TRUE_TEXT(end.has_value(), "the agent runs on");
      exit_code_ = end && end->signal == 0 ? end->exit_code : -1;
    }
    return gateway->agent().log().substr(before.size());
  }
  int exit_code_ = -1;
  bool exists(const std::string& name) const {
    const std::string path = gateway->state_dir() + "/" + name;
    return access(path.c_str(), F_OK) == 0;
  }
  /// Goes on from the checkpoint before the newest, says so, and works.
  void check_falls_back(const char* damage) {
    const std::string log = log_of_start(true);
    STRCMP_CONTAINS("is damaged: ", log.c_str());
    STRCMP_CONTAINS(damage, log.c_str());
    STRCMP_CONTAINS("Going on from checkpoint ", log.c_str());
    const ObservedPipeline pipeline = gateway->pipeline();
    CHECK_TRUE(pipeline.recovery.checkpoint_id > 0);
    CHECK_TRUE(pipeline.recovery.lost_newest_id > pipeline.recovery.checkpoint_id);
    STRCMP_EQUAL(damage, pipeline.recovery.lost_damage.c_str());
    CHECK_TRUE(exists(pipeline.recovery.lost_copy));
    STRCMP_CONTAINS("weir.db.damaged-", pipeline.recovery.lost_copy.c_str());
    const std::string text = gateway->weir({"status", "--state-dir", gateway->state_dir()}).output;
    STRCMP_CONTAINS("LOST        checkpoint ", text.c_str());
    measure("d1", 1, 5000);
    CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().checkpoint.last_id > pipeline.recovery.lost_newest_id; }));
    CHECK_TRUE(gateway->stop_agent());
    // What was damaged was taken out: the next start has nothing to say.
    CHECK_TRUE(log_of_start(true).find("damaged") == std::string::npos);
    UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().recovery.lost_newest_id);
  }
  /// Runs SQL on the stored state; returns the rows that it changed.
  int change(const char* sql) {
    sqlite3* database = nullptr;
    LONGS_EQUAL(SQLITE_OK, sqlite3_open((gateway->state_dir() + "/weir.db").c_str(), &database));
    char* error = nullptr;
    const int result = sqlite3_exec(database, sql, nullptr, nullptr, &error);
    LONGS_EQUAL_TEXT(SQLITE_OK, result, error == nullptr ? sql : error);
    sqlite3_free(error);
    const int changed = sqlite3_changes(database);
    sqlite3_close(database);
    return changed;
  }
  uint64_t newest_id() { return number("SELECT max(checkpoint) FROM checkpoint"); }
  uint64_t number(const char* sql) {
    sqlite3* database = nullptr;
    uint64_t id = 0;
    LONGS_EQUAL(SQLITE_OK, sqlite3_open((gateway->state_dir() + "/weir.db").c_str(), &database));
    auto read = [](void* to, int, char** values, char**) {
      *static_cast<uint64_t*>(to) = std::stoull(values[0]);
      return 0;
    };
    LONGS_EQUAL(SQLITE_OK, sqlite3_exec(database, sql, read, &id, nullptr));
    sqlite3_close(database);
    return id;
  }
  void check_refused(int expected_exit) {
    const std::string before = gateway->agent().log();
    CHECK_TRUE(gateway->agent().start().ok());
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
    CHECK_TRUE_TEXT(end.has_value(), "the agent runs on");
    if (end) CHECK_TRUE(end->exit_code == expected_exit && end->signal == 0);
    const std::string log = gateway->agent().log().substr(before.size());
    STRCMP_CONTAINS("cannot recover", log.c_str());
    CHECK_TRUE(log.find("starts fresh") == std::string::npos);
  }
};

TEST_GROUP_BASE(StoredState, StoredStateTest){};

TEST(StoredState, is_restored_when_nobody_touched_it) {
  stop_with_state();
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(200, gateway->pipeline().ledger.applied);
}

TEST(StoredState, damaged_in_the_newest_checkpoint_after_a_crash_gives_way_to_the_one_before) {
  crash_with_state();
  CHECK_TRUE(change("UPDATE opstate SET bytes = x'5A' || substr(bytes, 2) WHERE id = (SELECT max(id) FROM opstate)") == 1);
  check_falls_back("the state of a part fails its CRC");
}

TEST(StoredState, says_how_many_messages_are_missing_with_a_damaged_checkpoint) {
  prepare(std::string(per_second_config).replace(std::string(per_second_config).find("30ms"), 4, "1h"));
  CHECK_TRUE(gateway->start());
  // The first connection asks for a checkpoint as well: it must not come between the messages.
  gateway->agent().process().signal(SIGUSR1);
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().checkpoint.completed > 0; }));
  auto checkpoint_of = [&](int count) {
    for (int number = 0; number < count; ++number) measure("d1", number, number);
    CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().source.unacknowledged == static_cast<uint64_t>(count); }));
    const uint64_t before = gateway->pipeline().checkpoint.completed;
    gateway->agent().process().signal(SIGUSR1);
    CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().checkpoint.completed > before; }));
  };
  checkpoint_of(10);
  checkpoint_of(7);
  gateway->crash();
  CHECK_TRUE(change("UPDATE checkpoint SET manifest = x'00' WHERE id = (SELECT max(id) FROM checkpoint)") == 1);
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("The 7 messages between the two (offsets 11 to 17) are missing from the state", log.c_str());
  LONGS_EQUAL(7, gateway->pipeline().recovery.lost_messages);
  UNSIGNED_LONGS_EQUAL(10, gateway->pipeline().ledger.applied);
}

TEST(StoredState, with_a_missing_part_gives_way_to_the_checkpoint_before) {
  stop_with_state();
  CHECK_TRUE(change("DELETE FROM opstate WHERE id = (SELECT max(id) FROM opstate)") == 1);
  check_falls_back("the checkpoint wrote the state of other parts than there are");
}

TEST(StoredState, with_a_part_of_an_older_checkpoint_under_the_newest_one_gives_way_to_it) {
  stop_with_state();
  // The row is sound in itself; only its place tells that it does not belong here.
  CHECK_TRUE(change("UPDATE opstate SET (blobs, versions, base_after, delta_after, outbox_after, tail_after, crc, bytes) = "
                    "(SELECT blobs, versions, base_after, delta_after, outbox_after, tail_after, crc, bytes FROM opstate AS o "
                    "WHERE o.id < opstate.id AND o.id >> 48 = opstate.id >> 48) WHERE id = (SELECT max(id) FROM opstate)") ==
             1);
  check_falls_back("the state of a part fails its CRC");
}

TEST(StoredState, of_which_no_checkpoint_is_sound_is_refused_and_left_as_it_is) {
  stop_with_state();
  CHECK_TRUE(change("UPDATE checkpoint SET created_ms = created_ms + 1") >= 2);
  for (int start = 0; start < 2; ++start) {
    check_refused(65);
    STRCMP_CONTAINS("no retained checkpoint is sound", gateway->agent().log().c_str());
    STRCMP_CONTAINS("Ways out", gateway->agent().log().c_str());
  }
  CHECK_TRUE(change("UPDATE checkpoint SET created_ms = created_ms - 1") >= 2);
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(200, gateway->pipeline().ledger.applied);
}

TEST(StoredState, of_which_no_checkpoint_is_sound_begins_empty_where_that_is_asked_for) {
  stop_with_state();
  const uint64_t before = newest_id();
  CHECK_TRUE(change("UPDATE checkpoint SET created_ms = created_ms + 1") >= 2);
  gateway->replace("name = \"box\"", "name = \"box\"\non_corrupt = \"fresh\"");
  gateway->write_config();
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("The pipeline begins empty", log.c_str());
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().ledger.applied);
  UNSIGNED_LONGS_EQUAL(before, gateway->pipeline().recovery.lost_newest_id);
  LONGS_EQUAL(200, gateway->pipeline().recovery.lost_messages);
  CHECK_TRUE(exists(gateway->pipeline().recovery.lost_copy));
  measure("d1", 1, 5000);
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().checkpoint.last_id > before; }));
}

TEST(StoredState, that_went_back_to_an_older_copy_is_reported) {
  stop_with_state();
  const std::string copy = gateway->directory().file("older.db");
  change(("VACUUM INTO '" + copy + "'").c_str());
  CHECK_TRUE(gateway->start_agent());
  for (int number = 0; number < 30; ++number) measure("d1", number, 5000 + number);
  CHECK_TRUE(gateway->wait_received(230));
  CHECK_TRUE(gateway->stop_agent());
  const uint64_t newest = newest_id();
  const std::string database = gateway->state_dir() + "/weir.db";
  remove((database + "-wal").c_str());  // whoever looked last may have taken it along
  CHECK_TRUE(rename(copy.c_str(), database.c_str()) == 0);
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("the state store went back", log.c_str());
  STRCMP_CONTAINS("The 30 messages between the two (offsets 201 to 230) are missing", log.c_str());
  UNSIGNED_LONGS_EQUAL(newest, gateway->pipeline().recovery.lost_newest_id);
  STRCMP_EQUAL("", gateway->pipeline().recovery.lost_damage.c_str());
  measure("d1", 1, 6000);
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().checkpoint.last_id > newest; }));
}

TEST(StoredState, that_was_deleted_is_refused_unless_a_fresh_start_is_asked_for) {
  stop_with_state();
  const std::string database = gateway->state_dir() + "/weir.db";
  CHECK_TRUE(remove(database.c_str()) == 0);
  for (int start = 0; start < 2; ++start) {
    STRCMP_CONTAINS("weir.db is gone or empty", log_of_start(false).c_str());
    LONGS_EQUAL(65, exit_code_);
    CHECK_FALSE(exists("weir.db"));
  }
  gateway->replace("name = \"box\"", "name = \"box\"\non_corrupt = \"fresh\"");
  gateway->write_config();
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("The pipeline begins empty", log.c_str());
  LONGS_EQUAL(200, gateway->pipeline().recovery.lost_messages);
}

TEST(StoredState, of_another_window_is_refused_and_the_step_is_named) {
  stop_with_state();
  gateway->replace("tumbling = \"1s\"", "tumbling = \"2s\"");
  gateway->write_config();
  check_refused(78);
  STRCMP_CONTAINS("windows", gateway->agent().log().c_str());
}

TEST(StoredState, of_a_step_that_is_gone_is_refused_unless_allowed) {
  stop_with_state();
  gateway->replace("id = \"windows\"", "id = \"renamed\"");
  gateway->write_config();
  check_refused(78);
}

TEST(StoredState, that_is_no_database_is_refused_unless_a_fresh_start_is_asked_for) {
  stop_with_state();
  const std::string database = gateway->state_dir() + "/weir.db";
  CHECK_TRUE(write_whole_file(database, std::string(100'000, 'x')).ok());
  for (int start = 0; start < 2; ++start) {
    const std::string log = log_of_start(false);
    LONGS_EQUAL(65, exit_code_);
    CHECK_TRUE(log.find("starts fresh") == std::string::npos);
    STRCMP_CONTAINS("weir.db is damaged or gone and was left as it is. Ways out", log.c_str());
  }
  gateway->replace("name = \"box\"", "name = \"box\"\non_corrupt = \"fresh\"");
  gateway->write_config();
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("ALARM", log.c_str());
  STRCMP_CONTAINS("The pipeline begins empty", log.c_str());
  CHECK_TRUE(exists("weir.db.corrupt-1"));
  LONGS_EQUAL(200, gateway->pipeline().recovery.lost_messages);
}

TEST(StoredState, whose_structure_is_damaged_is_set_aside_where_a_fresh_start_is_asked_for_and_never_loops) {
  stop_with_state();
  const uint64_t before = newest_id();
  const std::string database = gateway->state_dir() + "/weir.db";
  const size_t root = number("SELECT rootpage FROM sqlite_schema WHERE name = 'opstate'");
  remove((database + "-wal").c_str());
  std::string bytes = read_whole_file(database);
  bytes.replace((root - 1) * 4096, 64, std::string(64, '\x7F'));
  CHECK_TRUE(write_whole_file(database, bytes).ok());
  for (int start = 0; start < 2; ++start) {
    STRCMP_CONTAINS("Ways out", log_of_start(false).c_str());
    LONGS_EQUAL(65, exit_code_);
  }
  CHECK_TRUE(read_whole_file(database) == bytes);
  gateway->replace("name = \"box\"", "name = \"box\"\non_corrupt = \"fresh\"");
  gateway->write_config();
  const std::string log = log_of_start(true);
  STRCMP_CONTAINS("ALARM", log.c_str());
  STRCMP_CONTAINS("The pipeline begins empty", log.c_str());
  CHECK_TRUE(read_whole_file(database + ".corrupt-1") == bytes);
  UNSIGNED_LONGS_EQUAL(before, gateway->pipeline().recovery.lost_newest_id);
  LONGS_EQUAL(200, gateway->pipeline().recovery.lost_messages);
}

}  // namespace
