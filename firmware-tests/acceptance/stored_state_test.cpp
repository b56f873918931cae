// State that does not fit together is refused, never repaired silently and never replaced by a fresh start.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <sqlite3.h>

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
  void check_refused() {
    const std::string before = gateway->agent().log();
    CHECK_TRUE(gateway->agent().start().ok());
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
    CHECK_TRUE_TEXT(end.has_value(), "the agent runs on");
    if (end) CHECK_TRUE(end->exit_code != 0 && end->signal == 0);
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

TEST(StoredState, with_a_part_of_an_older_checkpoint_is_refused) {
  stop_with_state();
  const std::string older = gateway->directory().file("older.db");
  change(("VACUUM INTO '" + older + "'").c_str());
  CHECK_TRUE(gateway->start_agent());
  measure("d1", 1, 5000);
  CHECK_TRUE(gateway->wait_received(201));
  CHECK_TRUE(gateway->stop_agent());
  // The row is sound in itself, its CRC included: only the ids tell that it does not belong here.
  const std::string swap = "ATTACH '" + older +
                           "' AS older; UPDATE main.opstate SET (checkpoint, crc, bytes) = (SELECT checkpoint, crc, bytes FROM "
                           "older.opstate AS o WHERE o.id = main.opstate.id) WHERE id = (SELECT min(id) FROM older.opstate)";
  CHECK_TRUE(change(swap.c_str()) == 1);
  check_refused();
}

TEST(StoredState, with_a_part_whose_checkpoint_was_changed_is_refused) {
  stop_with_state();
  CHECK_TRUE(change("UPDATE opstate SET checkpoint = checkpoint - 1 WHERE id = (SELECT min(id) FROM opstate)") == 1);
  check_refused();
}

TEST(StoredState, whose_manifest_names_another_checkpoint_is_refused) {
  stop_with_state();
  CHECK_TRUE(change("UPDATE checkpoint SET checkpoint = checkpoint + 1") >= 1);
  check_refused();
}

TEST(StoredState, with_a_flipped_bit_in_a_blob_is_refused) {
  stop_with_state();
  CHECK_TRUE(change("UPDATE opstate SET bytes = x'00' || substr(bytes, 2) WHERE hex(substr(bytes, 1, 1)) <> '00'") +
                 change("UPDATE opstate SET bytes = x'FF' || substr(bytes, 2) WHERE hex(substr(bytes, 1, 1)) = '00'") >=
             1);
  check_refused();
}

TEST(StoredState, with_a_missing_blob_is_refused) {
  stop_with_state();
  CHECK_TRUE(change("DELETE FROM opstate WHERE id = (SELECT max(id) FROM opstate)") == 1);
  check_refused();
}

TEST(StoredState, of_other_aggregates_is_refused_and_the_step_is_named) {
  stop_with_state();
  gateway->replace("low = \"min(value)\", ", "");
  gateway->write_config();
  check_refused();
  STRCMP_CONTAINS("windows", gateway->agent().log().c_str());
}

TEST(StoredState, of_a_step_that_is_gone_is_refused_unless_allowed) {
  stop_with_state();
  gateway->replace("id = \"windows\"", "id = \"renamed\"");
  gateway->write_config();
  check_refused();
}

TEST(StoredState, that_is_no_database_is_refused) {
  stop_with_state();
  CHECK_TRUE(write_whole_file(gateway->state_dir() + "/weir.db", std::string(100'000, 'x')).ok());
  const std::string before = gateway->agent().log();
  CHECK_TRUE(gateway->agent().start().ok());
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  CHECK_TRUE(end.has_value() && end->exit_code != 0 && end->signal == 0);
  CHECK_TRUE(gateway->agent().log().substr(before.size()).find("starts fresh") == std::string::npos);
}

}  // namespace
