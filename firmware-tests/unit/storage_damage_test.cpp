#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(CheckpointStoreDamage) {
  StoreFixture fixture;
  uint32_t source = 0;
  uint32_t step = 0;

  void setup() override {
    CHECK_OK(fixture.open());
    source = fixture.part("source");
    step = fixture.part("step");
    CHECK_OK(fixture.commit(checkpoint(1)));
    CHECK_OK(fixture.commit(checkpoint(2)));
    fixture.close();
    // Loading needs no more, and without reservations and syncs thousands of loads take seconds.
    fixture.options.open_existing = true;
  }
  TestCheckpoint checkpoint(uint64_t id) const {
    const std::string bytes = "at " + std::to_string(id);
    TestCheckpoint made(id);
    made.state(source, bytes).put(BlobKind::SessionTail, source, 0, bytes);
    made.state(step, bytes).put(BlobKind::Base, step, 0, bytes).put(BlobKind::Base, step, 1, bytes);
    made.put(BlobKind::Delta, step, 0, bytes).put(BlobKind::Outbox, step, 0, bytes);
    return made;
  }
  /// Edits the file with a plain connection; the next load says what it thinks of it.
  std::string after(const std::string& sql) {
    STRCMP_EQUAL("", fixture.sql(sql).c_str());
    CHECK_OK(fixture.open());
    RecordingHandler handler;
    Status status = fixture.store->load(fixture.pipeline, handler);
    fixture.close();
    if (!status.ok()) CHECK(status.code() == Code::Corrupt);
    return status.text();
  }
  std::vector<std::string> column(const std::string& sql) const {
    std::vector<std::string> lines;
    const std::string text = fixture.sql(sql);
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      lines.push_back(text.substr(at, text.find('\n', at) - at));
    return lines;
  }
  /// Flips one bit of every byte of the blob, one after the other; how many of the flips the load did not notice.
  int unnoticed_flips(const std::string& table, const std::string& id, const std::string& blob) {
    const std::string where = " WHERE id = " + id;
    const std::string hex = column("SELECT hex(" + blob + ") FROM " + table + where).at(0);
    int unnoticed = 0;
    for (size_t digit = 0; digit < hex.size(); digit += 2) {
      std::string flipped = hex;
      const unsigned bit = 1U << (digit / 2 % 4);
      const auto value = static_cast<unsigned>(std::stoul(hex.substr(digit, 1), nullptr, 16));
      flipped[digit] = "0123456789ABCDEF"[value ^ bit];
      if (after("UPDATE " + table + " SET " + blob + " = x'" + flipped + "'" + where) == "ok") ++unnoticed;
    }
    STRCMP_EQUAL("", fixture.sql("UPDATE " + table + " SET " + blob + " = x'" + hex + "'" + where).c_str());
    return unnoticed;
  }
  /// Adds one to the number in every row, one row after the other; how many of the changes the load did not notice.
  int unnoticed_changes(const std::string& table, const std::string& number) {
    int unnoticed = 0;
    for (const std::string& id : column("SELECT id FROM " + table)) {
      const std::string set = "UPDATE " + table + " SET " + number + " = " + number;
      if (after(set + " + 1 WHERE id = " + id) == "ok") ++unnoticed;
      STRCMP_EQUAL("", fixture.sql(set + " - 1 WHERE id = " + id).c_str());
    }
    return unnoticed;
  }
};

TEST(CheckpointStoreDamage, the_undamaged_state_loads) { STRCMP_EQUAL("ok", after("SELECT 1 WHERE 0").c_str()); }

TEST(CheckpointStoreDamage, a_flipped_bit_in_any_byte_of_any_blob_is_noticed) {
  int rows = 0;
  for (const char* table : {"opstate", "base", "delta", "outbox", "session_tail"})
    for (const std::string& id : column(std::string("SELECT id FROM ") + table)) {
      ++rows;
      LONGS_EQUAL_TEXT(0, unnoticed_flips(table, id, "bytes"), table);
    }
  LONGS_EQUAL(10, rows);
  const std::string newest = column("SELECT max(id) FROM checkpoint").at(0);
  LONGS_EQUAL(0, unnoticed_flips("checkpoint", newest, "manifest"));
  STRCMP_EQUAL("ok", after("SELECT 1 WHERE 0").c_str());
}

TEST(CheckpointStoreDamage, a_changed_crc_or_id_is_noticed_in_every_table) {
  for (const char* table : {"opstate", "base", "delta", "outbox", "session_tail"})
    LONGS_EQUAL_TEXT(0, unnoticed_changes(table, "crc"), table);
  for (const char* table : {"opstate", "base"}) LONGS_EQUAL_TEXT(0, unnoticed_changes(table, "checkpoint"), table);
  STRCMP_EQUAL("ok", after("SELECT 1 WHERE 0").c_str());
}

TEST(CheckpointStoreDamage, every_column_of_the_newest_checkpoint_is_under_its_crc) {
  const std::string row = " WHERE id = (SELECT max(id) FROM checkpoint)";
  for (const char* name : {"created_ms", "operator_blobs", "blob_rows", "checkpoint", "pipeline", "crc"}) {
    const std::string set = std::string("UPDATE checkpoint SET ") + name + " = " + name;
    STRCMP_EQUAL("the row of the newest checkpoint fails its CRC", after(set + " + 1" + row).c_str());
    STRCMP_EQUAL("ok", after(set + " - 1" + row).c_str());
  }
  STRCMP_EQUAL("the row of the newest checkpoint fails its CRC", after("UPDATE checkpoint SET reason = 'stop'" + row).c_str());
}

TEST(CheckpointStoreDamage, a_checkpoint_row_under_another_key_is_refused) {
  STRCMP_EQUAL("the row of the newest checkpoint stands under a wrong key",
               after("UPDATE checkpoint SET id = id + 1 WHERE id = (SELECT max(id) FROM checkpoint)").c_str());
}

TEST(CheckpointStoreDamage, a_blob_under_another_key_fails_its_crc) {
  STRCMP_EQUAL("a base chunk fails its CRC", after("UPDATE base SET id = id + 5 WHERE id & 255 = 1").c_str());
}

TEST(CheckpointStoreDamage, state_without_its_checkpoint_row_is_refused_with_what_disagrees) {
  // As if the newest row had been lost and the one before it were the checkpoint.
  STRCMP_EQUAL("the state of an operator is newer than the newest checkpoint",
               after("DELETE FROM checkpoint WHERE checkpoint = 2").c_str());
}

TEST(CheckpointStoreDamage, a_newer_blob_of_each_kind_is_refused_with_what_disagrees) {
  // An older checkpoint with its own states, but with one blob of the newer checkpoint left behind.
  const char* kinds[][2] = {{"base", "a base chunk is newer than the newest checkpoint"},
                            {"delta", "a delta is newer than the newest checkpoint"},
                            {"outbox", "a blob of the outbox is newer than the newest checkpoint"},
                            {"session_tail", "a blob of the session tail is newer than the newest checkpoint"}};
  for (const auto& [table, text] : kinds) {
    StoreFixture old;
    CHECK_OK(old.open());
    CHECK(old.part("source") == source);
    CHECK(old.part("step") == step);
    CHECK_OK(old.commit(checkpoint(1)));
    old.close();
    const std::string attach = "ATTACH '" + fixture.database_path() + "' AS new; ";
    STRCMP_EQUAL("", old.sql(attach + "INSERT OR REPLACE INTO " + table + " SELECT * FROM new." + table).c_str());
    CHECK_OK(old.open());
    STRCMP_EQUAL(text, old.loaded().c_str());
  }
}

TEST(CheckpointStoreDamage, missing_operator_state_is_refused_with_what_disagrees) {
  STRCMP_EQUAL("the newest checkpoint wrote the state of more parts than carry its id",
               after("DELETE FROM opstate WHERE id = " + std::to_string(step)).c_str());
}

TEST(CheckpointStoreDamage, a_missing_blob_of_each_kind_is_refused_with_what_disagrees) {
  for (const char* name : {"base", "delta", "outbox", "session_tail"}) {
    const std::string table = name;
    STRCMP_EQUAL("", fixture.sql("CREATE TABLE kept AS SELECT * FROM " + table).c_str());
    STRCMP_EQUAL("the newest checkpoint counted other blobs than there are",
                 after("DELETE FROM " + table + " WHERE id = (SELECT min(id) FROM " + table + ")").c_str());
    const std::string put_back = "DELETE FROM " + table + "; INSERT INTO " + table + " SELECT * FROM kept; DROP TABLE kept";
    STRCMP_EQUAL("ok", after(put_back).c_str());
  }
}

TEST(CheckpointStoreDamage, the_outbox_does_not_hand_out_a_damaged_blob) {
  STRCMP_EQUAL("", fixture.sql("UPDATE outbox SET bytes = x'00' WHERE id = (SELECT min(id) FROM outbox)").c_str());
  CHECK_OK(fixture.open());
  uint8_t room[16];
  CHECK(fixture.store->next_outbox(step, 0, room).status().code() == Code::Corrupt);
  CHECK_OK(fixture.store->next_outbox(step, 1, room).status());
}

TEST(CheckpointStoreDamage, a_file_that_is_no_database_is_refused) {
  FILE* file = fopen(fixture.database_path().c_str(), "r+");
  CHECK(file != nullptr);
  CHECK(fputs("This is a letter to the operator.", file) >= 0);
  fclose(file);
  remove((fixture.database_path() + "-wal").c_str());
  CHECK(fixture.open().code() == Code::Corrupt);
}

TEST(CheckpointStoreDamage, missing_tables_are_refused) {
  STRCMP_EQUAL("", fixture.sql("DROP TABLE delta").c_str());
  CHECK(fixture.open().code() == Code::Corrupt);
}
