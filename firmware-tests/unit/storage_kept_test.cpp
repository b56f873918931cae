// Descriptions of layouts, and the state of parts that have left the configuration.
#include "agent/base/hash.h"
#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(StorageKept) {
  StoreFixture fixture;
  uint32_t step = 0;
  uint32_t other = 0;
  uint64_t next_id = 1;

  void setup() override {
    CHECK(fixture.open().ok());
    step = fixture.part("step");
    other = fixture.part("other");
  }
  void reopen() {
    CHECK(fixture.reopen().ok());
    (void)fixture.part("other");
  }
  /// A checkpoint of the other part, and of the step if it takes part.
  uint64_t checkpoint(bool with_step) {
    TestCheckpoint write(next_id);
    write.state(other, "other");
    if (with_step) {
      write.state(step, "own " + std::to_string(next_id));
      write.put(BlobKind::Base, step, 0, "base " + std::to_string(next_id));
    }
    CHECK(fixture.store->commit(write.write(fixture.pipeline)).ok());
    return next_id++;
  }
  KeptPart keep(uint64_t id) {
    const KeptPart part{step, "step", id, 77, 1700000000000};
    CHECK(fixture.store->keep_part(part).ok());
    return part;
  }
  std::string kept() {
    std::string text;
    CHECK(fixture.store
              ->each_kept(fixture.pipeline,
                          [&](const KeptPart& part) {
                            text += part.uid + " op=" + std::to_string(part.op) +
                                    " checkpoint=" + std::to_string(part.checkpoint_id) +
                                    " layout=" + std::to_string(part.layout) + " since=" + std::to_string(part.since_wall_ms) +
                                    "\n";
                            return Status();
                          })
              .ok());
    return text;
  }
  std::string state_of(const KeptPart& part) {
    RecordingHandler handler;
    const Status status = fixture.store->load_kept(part, handler);
    return status.ok() ? handler.text : std::string(status.text());
  }
};

TEST(StorageKept, a_description_comes_back_by_its_hash) {
  const std::string text = "deadband\nkey device string(16)\n";
  const uint64_t hash = hash64(as_bytes(text));
  CHECK(fixture.store->layout(hash).status().code() == Code::NotFound);
  CHECK(fixture.store->put_layout(hash, text).ok());
  CHECK(fixture.store->put_layout(hash, text).ok());
  reopen();
  const Result<std::string> found = fixture.store->layout(hash);
  CHECK(found.ok());
  STRCMP_EQUAL(text.c_str(), found.value().c_str());
  fixture.close();
  STRCMP_EQUAL("1\n", fixture.sql("SELECT count(*) FROM layout").c_str());
}

TEST(StorageKept, a_damaged_description_is_none) {
  const std::string text = "deadband\n";
  const uint64_t hash = hash64(as_bytes(text));
  CHECK(fixture.store->put_layout(hash, text).ok());
  fixture.close();
  STRCMP_EQUAL("", plain_sql(fixture.database_path(), "UPDATE layout SET text = 'deadbend\n'").c_str());
  reopen();
  CHECK(fixture.store->layout(hash).status().code() == Code::NotFound);
  CHECK(fixture.store->put_layout(hash, text).ok());
  CHECK(fixture.store->layout(hash).ok());
}

TEST(StorageKept, state_of_a_part_that_left_stays_whole_through_later_checkpoints) {
  (void)checkpoint(true);
  const uint64_t last = checkpoint(true);
  const KeptPart part = keep(last);
  for (int index = 0; index < 30; ++index) (void)checkpoint(false);
  reopen();
  for (int index = 0; index < 30; ++index) (void)checkpoint(false);
  const std::string row = "step op=" + std::to_string(step) + " checkpoint=2 layout=77 since=1700000000000\n";
  STRCMP_EQUAL(row.c_str(), kept().c_str());
  const std::string op = std::to_string(step);
  STRCMP_EQUAL(("state op=" + op + " index=0 checkpoint=2: own 2\nbase op=" + op + " index=0 checkpoint=2: base 2\n").c_str(),
               state_of(part).c_str());
}

TEST(StorageKept, state_is_no_longer_kept_once_the_part_has_returned_and_older_checkpoints_are_gone) {
  const uint64_t last = checkpoint(true);
  (void)keep(last);
  (void)checkpoint(false);
  CHECK_FALSE(kept().empty());
  for (int index = 0; index < 4; ++index) (void)checkpoint(true);
  STRCMP_EQUAL("", kept().c_str());
}

TEST(StorageKept, what_is_forgotten_with_its_state_is_gone) {
  const KeptPart part = keep(checkpoint(true));
  (void)checkpoint(false);
  (void)checkpoint(false);
  CHECK(fixture.store->forget_kept(step, true).ok());
  STRCMP_EQUAL("", kept().c_str());
  STRCMP_EQUAL("the part has no state at this checkpoint", state_of(part).c_str());
  RecordingHandler handler;
  CHECK(fixture.store->load(fixture.pipeline, handler).ok());
}

TEST(StorageKept, what_is_forgotten_without_its_state_leaves_the_rows) {
  const KeptPart part = keep(checkpoint(true));
  CHECK(fixture.store->forget_kept(step, false).ok());
  STRCMP_EQUAL("", kept().c_str());
  STRCMP_CONTAINS("base 1", state_of(part).c_str());
}

TEST(StorageKept, damaged_state_is_noticed_before_any_of_it_is_handed_over) {
  const KeptPart part = keep(checkpoint(true));
  fixture.close();
  STRCMP_EQUAL("", plain_sql(fixture.database_path(), "UPDATE base SET bytes = x'00'").c_str());
  reopen();
  RecordingHandler handler;
  CHECK(fixture.store->load_kept(part, handler).code() == Code::Corrupt);
  STRCMP_EQUAL("", handler.text.c_str());
}

TEST(StorageKept, a_damaged_row_is_passed_over) {
  (void)keep(checkpoint(true));
  fixture.close();
  STRCMP_EQUAL("", plain_sql(fixture.database_path(), "UPDATE kept SET layout = 78").c_str());
  reopen();
  STRCMP_EQUAL("", kept().c_str());
}

TEST(StorageKept, a_store_that_was_opened_for_reading_keeps_and_forgets_nothing) {
  (void)keep(checkpoint(true));
  fixture.close();
  fixture.options.open_existing = true;
  CHECK(fixture.open().ok());
  CHECK_FALSE(kept().empty());
  CHECK(fixture.store->forget_kept(step, true).code() == Code::InvalidArgument);
  CHECK(fixture.store->put_layout(5, "x").code() == Code::InvalidArgument);
}
