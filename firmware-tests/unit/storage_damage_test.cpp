#include "firmware-tests/unit/storage_fixture.h"
#include "storage/row_key.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

TEST_GROUP(CheckpointStoreDamage) {
  StoreFixture fixture;
  uint32_t source = 0;
  uint32_t step = 0;
  std::string whole[3];  // what loading hands over at each checkpoint

  void setup() override {
    CHECK_OK(fixture.open());
    source = fixture.part("source");
    step = fixture.part("step");
    for (uint64_t id : {1U, 2U}) {
      CHECK_OK(fixture.commit(checkpoint(id)));
      whole[id] = fixture.loaded();
    }
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
  /// Edits the file with a plain connection. "2": the next load still hands over checkpoint 2, and nobody has noticed anything;
  /// "1: ...": it says so and hands over checkpoint 1 instead; "0: ...": it refuses. Anything else is silent wrong state.
  std::string after(const std::string& sql) {
    STRCMP_EQUAL("", fixture.sql(sql).c_str());
    RecordingHandler handler;
    Status status = fixture.open();
    if (status.ok()) status = fixture.store->load(fixture.pipeline, handler);
    fixture.close();
    if (!status.ok()) CHECK(status.code() == Code::Corrupt);
    if (!status.ok()) return std::string("0: ") + (handler.damaged.empty() ? status.text() : handler.damaged);
    if (handler.damaged.empty() && handler.text == whole[2]) return "2";
    if (!handler.damaged.empty() && handler.text == whole[1]) return "1: " + handler.damaged;
    return "silently wrong: " + handler.text;
  }
  std::vector<std::string> column(const std::string& sql) const {
    std::vector<std::string> lines;
    const std::string text = fixture.sql(sql);
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      lines.push_back(text.substr(at, text.find('\n', at) - at));
    return lines;
  }
  /// What must come of damage to a row: to one that only the newest checkpoint has, to one that both have, to one that only the
  /// older has.
  static char expected_of(const std::string& table, const std::string& id) {
    const auto key = std::stoll(id);
    const bool replaced_by_each = table == "opstate" || table == "base";
    const uint64_t checkpoint = table == "base" ? row_key::chunk_checkpoint_of(key) : row_key::blob_checkpoint_of(key);
    if (checkpoint == 2) return '1';
    return replaced_by_each ? '2' : '0';
  }
  /// Flips one bit of every byte of the blob, one after the other; how many of the flips had another end than `expected`.
  int unexpected_flips(const std::string& table, const std::string& id, const std::string& blob, char expected) {
    const std::string where = " WHERE id = " + id;
    const std::string hex = column("SELECT hex(" + blob + ") FROM " + table + where).at(0);
    int unexpected = 0;
    for (size_t digit = 0; digit < hex.size(); digit += 2) {
      std::string flipped = hex;
      const unsigned bit = 1U << (digit / 2 % 4);
      const auto value = static_cast<unsigned>(std::stoul(hex.substr(digit, 1), nullptr, 16));
      flipped[digit] = "0123456789ABCDEF"[value ^ bit];
      if (after("UPDATE " + table + " SET " + blob + " = x'" + flipped + "'" + where)[0] != expected) ++unexpected;
    }
    STRCMP_EQUAL("", fixture.sql("UPDATE " + table + " SET " + blob + " = x'" + hex + "'" + where).c_str());
    return unexpected;
  }
  /// Adds one to the number in every row, one row after the other; how many of the changes had another end than they must.
  int unexpected_changes(const std::string& table, const std::string& number) {
    int unexpected = 0;
    for (const std::string& id : column("SELECT id FROM " + table)) {
      const std::string set = "UPDATE " + table + " SET " + number + " = " + number;
      if (after(set + " + 1 WHERE id = " + id)[0] != expected_of(table, id)) ++unexpected;
      STRCMP_EQUAL("", fixture.sql(set + " - 1 WHERE id = " + id).c_str());
    }
    return unexpected;
  }
};

TEST(CheckpointStoreDamage, the_undamaged_state_loads) { STRCMP_EQUAL("2", after("SELECT 1 WHERE 0").c_str()); }

TEST(CheckpointStoreDamage, a_flipped_bit_in_any_byte_of_any_blob_is_noticed_by_the_checkpoints_that_need_it) {
  int rows = 0;
  for (const char* table : {"opstate", "base", "delta", "outbox", "session_tail"})
    for (const std::string& id : column(std::string("SELECT id FROM ") + table)) {
      ++rows;
      LONGS_EQUAL_TEXT(0, unexpected_flips(table, id, "bytes", expected_of(table, id)), table);
    }
  LONGS_EQUAL(14, rows);
  const std::string newest = column("SELECT max(id) FROM checkpoint").at(0);
  LONGS_EQUAL(0, unexpected_flips("checkpoint", newest, "manifest", '1'));
  STRCMP_EQUAL("2", after("SELECT 1 WHERE 0").c_str());
}

TEST(CheckpointStoreDamage, a_changed_number_is_noticed_in_every_table) {
  for (const char* table : {"opstate", "base", "delta", "outbox", "session_tail"})
    LONGS_EQUAL_TEXT(0, unexpected_changes(table, "crc"), table);
  for (const char* number : {"blobs", "versions", "base_after", "delta_after", "outbox_after", "tail_after"})
    LONGS_EQUAL_TEXT(0, unexpected_changes("opstate", number), number);
  STRCMP_EQUAL("2", after("SELECT 1 WHERE 0").c_str());
}

TEST(CheckpointStoreDamage, every_column_of_the_newest_checkpoint_is_under_its_crc) {
  const std::string row = " WHERE id = (SELECT max(id) FROM checkpoint)";
  for (const char* name : {"created_ms", "operator_blobs", "blob_rows", "checkpoint", "pipeline", "crc"}) {
    const std::string set = std::string("UPDATE checkpoint SET ") + name + " = " + name;
    STRCMP_EQUAL("1: 2: the row of the checkpoint fails its CRC\n", after(set + " + 1" + row).c_str());
    STRCMP_EQUAL("2", after(set + " - 1" + row).c_str());
  }
  STRCMP_EQUAL("1: 2: the row of the checkpoint fails its CRC\n", after("UPDATE checkpoint SET reason = 'stop'" + row).c_str());
}

TEST(CheckpointStoreDamage, a_checkpoint_row_under_another_key_gives_way_to_the_one_before) {
  STRCMP_EQUAL("1: 3: the row of the checkpoint stands under a wrong key\n",
               after("UPDATE checkpoint SET id = id + 1 WHERE id = (SELECT max(id) FROM checkpoint)").c_str());
}

TEST(CheckpointStoreDamage, a_blob_under_another_key_fails_its_crc) {
  STRCMP_EQUAL("1: 2: a base chunk fails its CRC\n",
               after("UPDATE base SET id = id + (7 << 34) WHERE (id & 255) = 2 AND (id >> 34 & 1) = 1").c_str());
}

TEST(CheckpointStoreDamage, state_without_its_checkpoint_row_gives_way_to_the_one_before) {
  STRCMP_EQUAL("1: 2: there is state of a checkpoint whose own row is missing\n",
               after("DELETE FROM checkpoint WHERE checkpoint = 2").c_str());
}

TEST(CheckpointStoreDamage, an_older_version_of_a_chunk_does_not_stand_in_for_the_newest) {
  STRCMP_EQUAL("1: 2: a part of the checkpoint has other versions of its chunks than it wrote\n",
               after("DELETE FROM base WHERE id = (SELECT max(id) FROM base)").c_str());
}

TEST(CheckpointStoreDamage, a_missing_part_gives_way_to_the_checkpoint_before) {
  STRCMP_EQUAL("1: 2: the checkpoint wrote the state of other parts than there are\n",
               after("DELETE FROM opstate WHERE id = (SELECT max(id) FROM opstate)").c_str());
}

TEST(CheckpointStoreDamage, a_missing_blob_of_each_kind_is_noticed) {
  for (const char* name : {"delta", "outbox", "session_tail"}) {
    const std::string table = name;
    const std::string text = "2: a part of the checkpoint counted other blobs than there are\n";
    STRCMP_EQUAL("", fixture.sql("CREATE TABLE before AS SELECT * FROM " + table).c_str());
    const std::string put_back = "DELETE FROM " + table + "; INSERT INTO " + table + " SELECT * FROM before";
    STRCMP_EQUAL(("1: " + text).c_str(),
                 after("DELETE FROM " + table + " WHERE id = (SELECT max(id) FROM " + table + ")").c_str());
    STRCMP_EQUAL("2", after(put_back).c_str());
    STRCMP_EQUAL(("0: " + text + "1" + text.substr(1)).c_str(),
                 after("DELETE FROM " + table + " WHERE id = (SELECT min(id) FROM " + table + ")").c_str());
    STRCMP_EQUAL("2", after(put_back + "; DROP TABLE before").c_str());
  }
}

TEST(CheckpointStoreDamage, the_register_of_pipelines_and_parts_is_under_crcs) {
  const char* changes[][2] = {
      {"UPDATE pipeline SET name = 'q'", "UPDATE pipeline SET name = 'p'"},
      {"UPDATE pipeline SET reserved_id = reserved_id + 1", "UPDATE pipeline SET reserved_id = reserved_id - 1"},
      {"UPDATE pipeline SET dead_letters_purged = 1", "UPDATE pipeline SET dead_letters_purged = 0"},
      {"UPDATE pipeline SET id = 2", "UPDATE pipeline SET id = 1"},
      {"UPDATE pipeline SET crc = crc + 1", "UPDATE pipeline SET crc = crc - 1"},
      {"UPDATE operator SET uid = 'other' WHERE op = 2", "UPDATE operator SET uid = 'step' WHERE op = 2"},
      {"UPDATE operator SET pipeline = 2 WHERE op = 2", "UPDATE operator SET pipeline = 1 WHERE op = 2"},
      {"UPDATE operator SET op = 3 WHERE op = 2", "UPDATE operator SET op = 2 WHERE op = 3"},
      {"UPDATE meta SET v = 'me'||substr(v, 3), k = k||''", nullptr}};
  for (const auto& [change, back] : changes) {
    CHECK_TEXT(after(change)[0] == '0', change);
    if (back != nullptr) STRCMP_EQUAL("2", after(back).c_str());
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
