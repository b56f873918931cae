#include "agent/runtime/state_loss.h"

#include "firmware-tests/support/memory_store.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(StateLoss) {
  StateLoss loss;
  PlainManifestCodec codec;

  static PipelineRow known(uint64_t newest_id, uint64_t offset, uint64_t reserved_id = 1000) {
    return {1, 0, reserved_id, newest_id, offset};
  }
  void damaged(uint64_t id, std::string_view copy = "", std::string_view manifest = "") {
    loss.note_damaged({id, {Code::Corrupt, "a delta fails its CRC"}, as_bytes(manifest), copy}, codec);
  }
  static std::string manifest_at(uint64_t offset) {
    Manifest manifest;
    manifest.source_offset = offset;
    return {reinterpret_cast<const char*>(&manifest), sizeof manifest};
  }
};

TEST(StateLoss, a_start_without_a_note_and_one_from_the_newest_have_lost_nothing) {
  CHECK_FALSE(loss.any());
  loss.note_known(known(7, 70));
  loss.note_restored(7, 70);
  CHECK_FALSE(loss.any());
  UNSIGNED_LONGS_EQUAL(0, loss.status().newest_id);
}

TEST(StateLoss, a_note_that_is_older_than_the_database_says_nothing) {
  loss.note_known(known(5, 50));
  loss.note_restored(7, 70);
  CHECK_FALSE(loss.any());
}

TEST(StateLoss, a_store_that_went_back_is_told_with_both_ids_and_the_messages_in_between) {
  loss.note_known(known(7, 70));
  loss.note_restored(4, 40);
  CHECK(loss.any());
  UNSIGNED_LONGS_EQUAL(7, loss.status().newest_id);
  LONGS_EQUAL(30, loss.status().messages);
  STRCMP_EQUAL("", loss.status().damage);
  STRCMP_CONTAINS("the state store went back 3 checkpoints (from 7 to 4)", loss.text().c_str());
  STRCMP_CONTAINS("The 30 messages between the two (offsets 41 to 70) are missing", loss.text().c_str());
  STRCMP_CONTAINS("may be published again, with the same ids", loss.text().c_str());
}

TEST(StateLoss, what_the_journal_hands_over_again_is_not_missing) {
  loss.note_known(known(7, 70));
  loss.note_journal(7, 69);
  loss.note_restored(4, 40);
  LONGS_EQUAL(30, loss.status().messages);
  loss.note_journal(7, 70);
  CHECK(loss.any());
  LONGS_EQUAL(0, loss.status().messages);
  STRCMP_CONTAINS("The 30 messages between the two (offsets 41 to 70) are replayed from the journal", loss.text().c_str());
}

TEST(StateLoss, the_journal_knows_of_a_newer_checkpoint_when_nothing_else_does) {
  loss.note_known(known(0, 0));
  loss.note_journal(9, 90);
  loss.note_restored(8, 80);
  UNSIGNED_LONGS_EQUAL(9, loss.status().newest_id);
  STRCMP_CONTAINS("went back 1 checkpoints (from 9 to 8)", loss.text().c_str());
}

TEST(StateLoss, a_damaged_checkpoint_is_told_with_what_is_wrong_and_where_it_is_kept) {
  loss.note_known(known(7, 70));
  damaged(7, "/state/weir.db.damaged-7");
  loss.note_restored(6, 70);
  LONGS_EQUAL(0, loss.status().messages);
  STRCMP_EQUAL("a delta fails its CRC", loss.status().damage);
  STRCMP_CONTAINS(
      "checkpoint 7 is damaged: a delta fails its CRC. Going on from checkpoint 6; the database as it was found is "
      "kept as /state/weir.db.damaged-7. No messages",
      loss.text().c_str());
}

TEST(StateLoss, without_a_note_the_damaged_manifest_says_how_many_messages) {
  loss.note_known(known(0, 0));
  damaged(7, "", manifest_at(75));
  loss.note_restored(6, 60);
  LONGS_EQUAL(15, loss.status().messages);
}

TEST(StateLoss, without_note_and_manifest_their_number_is_not_known) {
  loss.note_known(known(0, 0));
  damaged(7, "", "no manifest");
  loss.note_restored(6, 60);
  CHECK(loss.any());
  LONGS_EQUAL(-1, loss.status().messages);
  STRCMP_CONTAINS("The messages between the two are missing", loss.text().c_str());
}

TEST(StateLoss, an_id_that_was_never_given_is_not_believed) {
  loss.note_known(known(7, 70, 1000));
  damaged(1U << 30);
  loss.note_restored(7, 70);
  CHECK_FALSE(loss.any());
}

TEST(StateLoss, the_last_id_that_was_reserved_is) {
  loss.note_known(known(0, 0, 1000));
  damaged(1000);
  loss.note_restored(0, 0);
  UNSIGNED_LONGS_EQUAL(1000, loss.status().newest_id);
  STRCMP_CONTAINS("The pipeline begins empty", loss.text().c_str());
}
