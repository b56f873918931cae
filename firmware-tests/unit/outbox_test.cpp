#include "agent/runtime/outbox.h"

#include <memory>
#include <string>
#include <vector>

#include "firmware-tests/support/memory_store.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// Takes rows up to a limit and answers when told.
class ScriptedPublisher final : public Publisher {
 public:
  bool connected = true;
  size_t limit = 4;
  std::vector<std::string> sent;
  std::vector<uint64_t> ids;
  std::vector<uint32_t> in_flight;

  Status start(Poller&, PublisherHandler&, Now) override { return {}; }
  bool ready() const override { return connected && in_flight.size() < limit; }
  void publish(const OutboxRow& row, uint32_t ticket, Now) override {
    sent.emplace_back(as_text(row.payload));
    ids.push_back(row.id.low);
    in_flight.push_back(ticket);
  }
  void stop(Now, int64_t) override {}
  bool finished() const override { return true; }
  void on_tick(Now) override {}
  PublisherStatus status() const override { return {}; }
};

}  // namespace

TEST_GROUP(Outbox), OutboxOwner {
  Arena arena{8 << 20};
  MemoryStore store;
  StepExecutor executor{store};
  ScriptedPublisher publisher;
  OutboxLimits limits{2048, 1 << 20, 100};
  std::unique_ptr<Outbox> outbox;
  std::vector<uint8_t> buffer = std::vector<uint8_t>(4096);
  std::vector<Blob> blobs = std::vector<Blob>(8);
  std::vector<Trim> trims = std::vector<Trim>(8);
  Snapshot snapshot{buffer, blobs, trims};
  Now now;
  uint64_t next_id = 1;
  bool room_for_rejected = true;
  std::vector<std::string> rejected;
  Status failure;

  bool on_row_rejected(const OutboxRow& row, const char*, Now) override {
    if (room_for_rejected) rejected.emplace_back(as_text(row.payload));
    return room_for_rejected;
  }
  void on_outbox_failed(Status status, Now) override { failure = status; }

  void setup() override { open(); }
  void open() {
    outbox = std::make_unique<Outbox>(arena, "outbox", limits, publisher, *this);
    outbox->set_op(1);
    outbox->connect(executor);
  }
  void append(const std::string& payload) {
    outbox->append({{0, static_cast<uint64_t>(payload.size())}, "t", as_bytes(payload)});
  }
  void checkpoint(Status result = {}) {
    uint64_t id = next_id++;
    snapshot.begin(id);
    outbox->snapshot(snapshot);
    store.fail_with = result;
    CheckpointWrite write;
    write.id = id;
    write.snapshot = &snapshot;
    Status status = store.commit(write);
    outbox->snapshot_done(id, status.ok());
    outbox->on_publisher_ready(now);
    executor.run(now);
  }
  void acknowledge_all() {
    while (!publisher.in_flight.empty()) {
      uint32_t ticket = publisher.in_flight.front();
      publisher.in_flight.erase(publisher.in_flight.begin());
      outbox->on_published(ticket, now);
      executor.run(now);
    }
  }
  size_t stored() { return store.rows[BlobKind::Outbox].size(); }
  /// A new process with the same store.
  void restart() {
    publisher.in_flight.clear();
    open();
    for (const auto& [key, row] : store.rows[BlobKind::Operator])
      CHECK(outbox->restore({BlobKind::Operator, 0, row.checkpoint_id, as_bytes(row.bytes)}).ok());
    for (const auto& [key, row] : store.rows[BlobKind::Outbox])
      CHECK(outbox->announce(row.checkpoint_id, row.bytes.size()).ok());
    outbox->start(now);
    executor.run(now);
  }
};

TEST(Outbox, publishes_nothing_before_its_checkpoint_is_durable) {
  append("a");
  outbox->on_publisher_ready(now);
  UNSIGNED_LONGS_EQUAL(0, publisher.sent.size());
  checkpoint({Code::Full, "disk full"});
  UNSIGNED_LONGS_EQUAL(0, publisher.sent.size());
  checkpoint();
  UNSIGNED_LONGS_EQUAL(1, publisher.sent.size());
}

TEST(Outbox, deletes_results_in_the_checkpoint_after_they_were_acknowledged) {
  append("a");
  checkpoint();
  append("bb");
  checkpoint();
  UNSIGNED_LONGS_EQUAL(2, stored());
  acknowledge_all();
  CHECK(outbox->drained());
  CHECK(outbox->dirty());
  checkpoint();
  UNSIGNED_LONGS_EQUAL(0, stored());
  CHECK_FALSE(outbox->dirty());
}

TEST(Outbox, keeps_order_when_results_wait_on_disk) {
  publisher.connected = false;
  for (const char* payload : {"a", "bb", "ccc", "dddd", "eeeee"}) {
    append(payload);
    checkpoint();
  }
  UNSIGNED_LONGS_EQUAL(4, outbox->waiting_blobs());
  publisher.connected = true;
  outbox->on_publisher_ready(now);
  executor.run(now);
  acknowledge_all();
  UNSIGNED_LONGS_EQUAL(5, publisher.sent.size());
  for (size_t i = 0; i < 5; ++i) UNSIGNED_LONGS_EQUAL(i + 1, publisher.sent[i].size());
  CHECK(outbox->drained());
}

TEST(Outbox, sends_unacknowledged_results_again_after_a_restart_with_the_same_ids) {
  append("a");
  append("bb");
  checkpoint();
  UNSIGNED_LONGS_EQUAL(2, publisher.sent.size());
  restart();
  UNSIGNED_LONGS_EQUAL(4, publisher.sent.size());
  STRCMP_EQUAL("a", publisher.sent[2].c_str());
  UNSIGNED_LONGS_EQUAL(publisher.ids[0], publisher.ids[2]);
  acknowledge_all();
  checkpoint();
  restart();
  UNSIGNED_LONGS_EQUAL(4, publisher.sent.size());
}

TEST(Outbox, does_not_send_again_what_was_confirmed_in_the_checkpoint) {
  append("a");
  checkpoint();
  acknowledge_all();
  append("bb");
  checkpoint();  // confirms "a" and trims it, brings "bb"
  restart();
  UNSIGNED_LONGS_EQUAL(3, publisher.sent.size());
  STRCMP_EQUAL("bb", publisher.sent[2].c_str());
}

TEST(Outbox, respects_the_publishers_window) {
  for (int i = 0; i < 7; ++i) append("a");
  checkpoint();
  UNSIGNED_LONGS_EQUAL(4, publisher.sent.size());
  acknowledge_all();
  UNSIGNED_LONGS_EQUAL(7, publisher.sent.size());
}

TEST(Outbox, says_when_a_half_is_full) {
  size_t appended = 0;
  while (outbox->has_room(1)) {
    append(std::string(90, 'x'));
    ++appended;
  }
  CHECK(appended >= 2);
  CHECK(outbox->wants_checkpoint());
  checkpoint();
  CHECK(outbox->has_room(2));
}

TEST(Outbox, is_full_when_the_bound_on_disk_is_reached_and_goes_on_when_results_have_left) {
  limits.max_bytes = 500;
  open();
  publisher.connected = false;
  while (outbox->has_room(1)) {
    append("a");
    checkpoint();
  }
  CHECK(outbox->bytes() <= 500);
  publisher.connected = true;
  outbox->on_publisher_ready(now);
  executor.run(now);
  acknowledge_all();
  CHECK(outbox->has_room(1));
}

TEST(Outbox, offers_a_rejected_row_again_until_it_can_be_set_aside) {
  append("a");
  checkpoint();
  room_for_rejected = false;
  uint32_t ticket = publisher.in_flight.front();
  publisher.in_flight.clear();
  outbox->on_rejected(ticket, "no", now);
  CHECK_FALSE(outbox->drained());
  outbox->on_publisher_ready(now);
  UNSIGNED_LONGS_EQUAL(1, publisher.sent.size());  // not at once, or a publisher that refuses at once would spin
  outbox->resume(now);
  UNSIGNED_LONGS_EQUAL(2, publisher.sent.size());
  room_for_rejected = true;
  publisher.in_flight.clear();
  outbox->on_rejected(ticket, "no", now);
  CHECK(outbox->drained());
  UNSIGNED_LONGS_EQUAL(1, rejected.size());
}

TEST(Outbox, reports_stored_results_that_cannot_be_read) {
  publisher.connected = false;
  append("a");
  checkpoint();
  append("bb");
  checkpoint();
  for (auto& [key, row] : store.rows[BlobKind::Outbox]) row.bytes.resize(3);
  publisher.connected = true;
  outbox->on_publisher_ready(now);
  acknowledge_all();
  CHECK(failure.code() == Code::Corrupt);
}
