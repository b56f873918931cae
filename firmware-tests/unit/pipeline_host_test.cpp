#include "agent/app/pipeline_host.h"

#include <memory>
#include <string>

#include "agent/base/log.h"
#include "firmware-tests/support/memory_store.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr int64_t delay_ms = 100;

/// Delivers numbers, and fails when the test says so. What it has delivered is in its state.
class FailingSource final : public Source {
 public:
  void deliver(Now now) {
    const int64_t value = static_cast<int64_t>(++delivered);
    Message message;
    message.payload = {reinterpret_cast<const uint8_t*>(&value), sizeof value};
    message.offset = delivered;
    message.arrival_ms = now.wall_ms;
    handler_->on_message(message, now);
  }
  void fail(Status status, Now now) { handler_->on_source_failed(status, now); }
  uint64_t delivered = 0;
  bool abandoned = false;
  bool told_to_stop = false;

  Status start(Poller&, SourceHandler& handler, Now) override {
    handler_ = &handler;
    return {};
  }
  void stop(Now) override { told_to_stop = true; }
  bool finished() const override { return true; }
  void resume(Now) override {}
  void abandon(Now) override { abandoned = true; }
  void on_tick(Now) override {}
  SourceStatus status() const override {
    SourceStatus status;
    status.connected = true;
    status.offset = delivered;
    return status;
  }
  std::string_view uid() const override { return "source"; }
  std::string_view layout() const override { return "counting"; }
  SnapshotBounds snapshot_bounds() const override { return {8, 1, 0}; }
  void snapshot(Snapshot& snapshot) override {
    snapshot.open(BlobKind::Operator, op()).put(delivered);
    snapshot.close();
  }
  void snapshot_done(uint64_t, bool) override {}
  Status restore(const StoredBlob& blob) override {
    delivered = ByteReader(blob.bytes).get<uint64_t>();
    return {};
  }
  Status restore_finished() override { return {}; }

 private:
  SourceHandler* handler_ = nullptr;
};

class NumberDecoder final : public Decoder {
 public:
  NumberDecoder() { schema_.add({"value", Type::Int, 0}); }
  const Schema& schema() const override { return schema_; }
  Refusal decode(const Message& message, std::span<Value> values) override {
    int64_t value = 0;
    memcpy(&value, message.payload.data(), sizeof value);
    values[0] = Value::of_int(value);
    return {};
  }

 private:
  Schema schema_;
};

class SilentRenderer final : public Renderer {
 public:
  size_t topic_bytes_max() const override { return 8; }
  size_t payload_bytes_max() const override { return 8; }
  void render_topic(const Record&, TextWriter& out) override { out.append("out"); }
  void render_payload(const Record&, Hash128, TextWriter& out) override { out.append("1"); }
};

class SilentPublisher final : public Publisher {
 public:
  Status start(Poller&, PublisherHandler&, Now) override { return {}; }
  bool ready() const override { return false; }
  void publish(const OutboxRow&, uint32_t, Now) override {}
  void stop(Now, int64_t) override {}
  bool finished() const override { return true; }
  void on_tick(Now) override {}
  PublisherStatus status() const override { return {}; }
};

class IdlePoller final : public Poller {
 public:
  Status watch(int, uint32_t, PollHandler&) override { return {}; }
  void rearm(int, uint32_t, PollHandler&) override {}
  void forget(int) override {}
};

}  // namespace

TEST_GROUP(PipelineHost) {
  TemporaryDirectory directory;
  MemoryStore store;
  StepExecutor executor{store};
  IdlePoller poller;
  PlainManifestCodec codec;
  RestartHistory history;
  Arena arena{8 << 20};
  FailingSource* source = nullptr;  // of the newest build
  int builds = 0;
  int boarded = 0;
  bool buildable = true;
  Now now{1'000'000, 1'750'000'000'000};
  std::unique_ptr<PipelineHost> host;

  void setup() override {
    set_log_level(LogLevel{2});
    history.open(directory.path(), {"p"});
  }
  void teardown() override { set_log_level(LogLevel::Info); }

  std::unique_ptr<Pipeline> build(Arena & to) {
    if (!buildable) return nullptr;
    ++builds;
    PipelineParts parts;
    parts.name = "p";
    parts.checkpoint.interval_ms = 10;
    parts.checkpoint.min_pause_ms = 1;
    parts.outbox = {16'384, 1 << 20, 64};
    auto own_source = std::make_unique<FailingSource>();
    source = own_source.get();
    parts.source = std::move(own_source);
    parts.publisher = std::make_unique<SilentPublisher>();
    InputParts input;
    input.pipeline = parts.name;
    input.decoder = std::make_unique<NumberDecoder>();
    parts.result_schema = &input.decoder->schema();
    parts.graph.inputs.push_back(std::move(input));
    parts.graph.edges = {{.from_input = true, .from = 0}};
    parts.renderer = std::make_unique<SilentRenderer>();
    parts.manifest_codec = &codec;
    return std::make_unique<Pipeline>(to, std::move(parts));
  }
  PipelineHost::Plan plan(RestartRule rule) {
    PipelineHost::Plan made;
    made.name = "p";
    made.fingerprint = 7;
    made.restart = rule;
    made.build = [this](Arena& to) { return build(to); };
    made.board = [this](Pipeline&) { ++boarded; };
    return made;
  }
  static RestartRule fixed_delay(uint64_t attempts) {
    RestartRule rule;
    rule.kind = RestartKind::FixedDelay;
    rule.attempts = attempts;
    rule.delay_ms = delay_ms;
    return rule;
  }
  void make(RestartRule rule = fixed_delay(3)) { host = std::make_unique<PipelineHost>(plan(rule), arena, history); }
  void start(RestartRule rule = fixed_delay(3)) {
    make(rule);
    RestoreReport report;
    CHECK(host->restore(store, false, now, report).ok());
    CHECK(host->start(poller, executor, nullptr, now).ok());
  }
  void turn(int64_t ms = 0) {
    now.boot_ms += ms;
    now.wall_ms += ms;
    host->on_turn(now);
  }
  /// Delivers so many, and lets a checkpoint cover them.
  void deliver_durably(int count) {
    for (int each = 0; each < count; ++each) source->deliver(now);
    turn(20);
    executor.run(now);
    turn();
  }
  void fail(Status status = {Code::Refused, "no"}) {
    source->fail(status, now);
    turn();
  }
  /// It has stopped in order, after so many messages.
  void stop_after(int count) {
    deliver_durably(count);
    host->stop(now, false);
    executor.run(now);
    turn(20);
    executor.run(now);
    turn();
    CHECK_TRUE(host->stopped());
  }
  std::string state() {
    PipelineStatus status;
    host->fill_status(status, now);
    return status.state;
  }
  uint64_t applied() {
    PipelineStatus status;
    host->fill_status(status, now);
    return status.ledger.applied;
  }
};

TEST(PipelineHost, builds_a_failed_one_again_after_its_delay_and_goes_on_from_the_last_checkpoint) {
  start();
  deliver_durably(5);
  source->deliver(now);
  UNSIGNED_LONGS_EQUAL(6, applied());
  fail();
  executor.run(now);
  STRCMP_EQUAL("waiting", state().c_str());
  POINTERS_EQUAL(nullptr, host->pipeline());
  LONGS_EQUAL(now.boot_ms + delay_ms, host->next_deadline_boot_ms());
  turn(delay_ms - 1);
  STRCMP_EQUAL("waiting", state().c_str());
  turn(1);
  STRCMP_EQUAL("restoring", state().c_str());
  POINTERS_EQUAL(nullptr, host->pipeline());
  executor.run(now);
  STRCMP_EQUAL("running", state().c_str());
  UNSIGNED_LONGS_EQUAL(5, applied());
  UNSIGNED_LONGS_EQUAL(5, source->delivered);
  LONGS_EQUAL(2, builds);
}

TEST(PipelineHost, uses_the_same_memory_again_and_again) {
  start(fixed_delay(1000));
  const size_t used = arena.used();
  for (int failure = 0; failure < 50; ++failure) {
    fail();
    executor.run(now);
    turn(delay_ms);
    executor.run(now);
    STRCMP_EQUAL("running", state().c_str());
  }
  LONGS_EQUAL(51, builds);
  UNSIGNED_LONGS_EQUAL(used, arena.used());
}

TEST(PipelineHost, takes_nothing_down_while_a_checkpoint_is_at_the_storage_thread) {
  start();
  source->deliver(now);
  turn(20);
  CHECK_TRUE(executor.busy());
  fail();
  CHECK_TRUE(host->pipeline() != nullptr);
  executor.run(now);
  POINTERS_EQUAL(nullptr, host->pipeline());
  UNSIGNED_LONGS_EQUAL(1, store.last_id);
}

TEST(PipelineHost, is_final_when_the_strategy_says_so_until_it_is_resumed) {
  start(fixed_delay(1));
  for (int failure = 0; failure < 2; ++failure) {
    fail();
    executor.run(now);
    turn(delay_ms);
    executor.run(now);
  }
  CHECK_TRUE(host->final());
  STRCMP_EQUAL("FAILED", state().c_str());
  LONGS_EQUAL(INT64_MAX, host->next_deadline_boot_ms());
  CHECK_TRUE(host->resume(now));
  turn();
  executor.run(now);
  STRCMP_EQUAL("running", state().c_str());
  CHECK_FALSE(host->resume(now));
}

TEST(PipelineHost, counts_a_restore_that_fails_and_one_that_cannot_be_built) {
  start(fixed_delay(3));
  fail();
  executor.run(now);
  store.fail_load_with = {Code::Incompatible, "does not fit"};
  turn(delay_ms);
  executor.run(now);
  STRCMP_EQUAL("waiting", state().c_str());
  store.fail_load_with = {};
  buildable = false;
  turn(delay_ms);
  STRCMP_EQUAL("waiting", state().c_str());
  buildable = true;
  turn(delay_ms);
  executor.run(now);
  STRCMP_EQUAL("running", state().c_str());
  fail();
  CHECK_TRUE(state() == "failed");
  executor.run(now);
  CHECK_TRUE(host->final());
}

TEST(PipelineHost, ends_the_process_when_the_store_fails) {
  start();
  fail();
  executor.run(now);
  store.fail_load_with = {Code::Io, "the disk"};
  turn(delay_ms);
  executor.run(now);
  CHECK_TRUE(host->store_failure().code() == Code::Io);
  CHECK_TRUE(host->stopped());
}

TEST(PipelineHost, stops_in_order_while_it_runs) {
  start();
  stop_after(2);
  CHECK_TRUE(source->told_to_stop);
}

TEST(PipelineHost, stops_wherever_it_is_on_the_way_to_its_next_start) {
  for (int where = 0; where < 4; ++where) {
    store = MemoryStore();
    start();
    fail();
    if (where > 0) executor.run(now);
    if (where > 1) turn(delay_ms);
    if (where > 2) executor.run(now);
    host->stop(now, false);
    for (int each = 0; each < 3; ++each) {
      executor.run(now);
      turn(1);
    }
    CHECK_TRUE(host->stopped());
  }
}

TEST(PipelineHost, is_charged_with_a_death_of_its_own_only) {
  const auto failures_after = [&](std::string_view blamed) {
    RestartRecord record;
    record.fingerprint = 7;
    record.running = true;
    CHECK(history.put("p", record, now).ok());
    make();
    RestoreReport report;
    CHECK(host->restore(store, false, now, report).ok());
    host->recall(blamed, now);
    PipelineStatus status;
    host->fill_status(status, now);
    return status.restart.failures;
  };
  UNSIGNED_LONGS_EQUAL(1, failures_after(""));
  UNSIGNED_LONGS_EQUAL(1, failures_after("p"));
  UNSIGNED_LONGS_EQUAL(0, failures_after("q"));
}

TEST(PipelineHost, enters_and_waits_to_be_launched) {
  start();
  stop_after(3);
  host->retire(now);
  CHECK_FALSE(host->retired());
  executor.run(now);
  CHECK_TRUE(host->retired());

  PipelineHost next(plan(fixed_delay(1)), std::make_unique<Arena>(size_t{8} << 20), history);
  RestoreReport report;
  CHECK(next.try_restore(store, false, now, report).ok());
  CHECK_FALSE(report.parts.empty());
  next.rebuild();
  boarded = 0;
  next.enter(poller, executor, nullptr, false, now);
  LONGS_EQUAL(1, boarded);
  CHECK_TRUE(next.entering());
  POINTERS_EQUAL(nullptr, next.pipeline());
  executor.run(now);
  CHECK_TRUE(next.entered());
  CHECK_FALSE(next.running());
  next.launch(now);
  CHECK_TRUE(next.running());
  UNSIGNED_LONGS_EQUAL(3, source->delivered);
}

TEST(PipelineHost, that_cannot_enter_says_why_and_the_old_one_goes_on) {
  start();
  stop_after(3);
  host->retire(now);
  executor.run(now);
  PipelineHost next(plan(fixed_delay(1)), std::make_unique<Arena>(size_t{8} << 20), history);
  store.fail_load_with = {Code::Incompatible, "too many keys"};
  next.enter(poller, executor, nullptr, false, now);
  executor.run(now);
  CHECK_FALSE(next.entering() || next.entered());
  STRCMP_EQUAL("too many keys", next.entry_error().c_str());
  store.fail_load_with = {};
  host->start_again(now);
  turn();
  executor.run(now);
  STRCMP_EQUAL("running", state().c_str());
  UNSIGNED_LONGS_EQUAL(3, applied());
}
