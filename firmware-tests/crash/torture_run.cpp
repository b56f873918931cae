#include "firmware-tests/crash/torture_run.h"

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>

#include "firmware-tests/faults/crash_points.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

constexpr int64_t ready_deadline_ms = 30'000;
constexpr int64_t longest_life_ms = 300;
constexpr int64_t longest_start_ms = 30;
constexpr int64_t stalled_ms = 10'000;     // no progress for so long: what is missing will not come any more
constexpr uint64_t backlog_max = 100'000;  // messages; the broker drops silently what its queue cannot hold
constexpr int64_t publish_slice_ms = 5;
constexpr int64_t point_deadline_ms = 30'000;  // the log is moved into the database every few seconds
constexpr int64_t visits_max = 8;
constexpr int64_t notices_ms = 20;  // by then the agent knows that its connection is gone

}  // namespace

Torture::Torture(const TortureOptions& options)
    : options_(options),
      agent_({.program = options.agent,
              .configs = {directory_.file("torture.toml")},
              .state_dir = directory_.file("state"),
              .log_path = directory_.file("agent.log")}),
      stream_(options.seed, options.keys),
      account_(options.version5),
      schedule_(options.seed) {}

Torture::~Torture() {
  publishing_done_ = true;
  if (publishing_.joinable()) publishing_.join();
}

int Torture::fail(const char* what) {
  directory_.keep();
  (void)write_whole_file(directory_.file("mosquitto.log"), broker_.log());
  printf("FAILED: %s; see %s\n", what, directory_.path().c_str());
  return 1;
}

int Torture::run() {
  if (!set_up()) return fail("the run could not be set up");
  publishing_ = std::thread([this] { publish(); });
  const bool survived = torment();
  publishing_done_ = true;
  publishing_.join();
  if (!survived) return fail("the agent did not come back");
  if (publisher_failed_) return fail("the broker did not take the messages");
  if (!settle()) return fail("the agent did not come to rest");
  return conclude();
}

bool Torture::set_up() {
  if (Status status = broker_.start(); !status.ok()) {
    printf("mosquitto: %s\n%s\n", status.text(), broker_.log().c_str());
    return false;
  }
  publisher_ = std::make_unique<MqttTestPublisher>(MqttClientOptions{.port = broker_.port(), .version5 = options_.version5});
  results_ = std::make_unique<MqttSubscriber>(
      MqttClientOptions{.port = broker_.port(), .client_id = "torture-results", .persistent = true});
  const bool connected =
      publisher_->connect().ok() && results_->connect().ok() && results_->subscribe(std::string(torture_results) + "/#").ok();
  const TortureConfig config{directory_.file("state"), broker_.url(), options_.version5, options_.journal};
  if (!connected || !write_whole_file(directory_.file("torture.toml"), torture_config(config)).ok()) return false;
  if (!agent_.start_ready(ready_deadline_ms).ok()) return false;
  return std::ranges::all_of(
      torture_pipelines, [this](const char* pipeline) { return broker_.wait_for_subscription(torture_client_id(pipeline)); });
}

/// The publishing thread: `rate` messages per second, in slices of a few milliseconds, until it is told to stop.
void Torture::publish() {
  const int64_t start_us = monotonic_us();
  for (uint64_t number = 1; !publishing_done_;) {
    const uint64_t due = static_cast<uint64_t>(monotonic_us() - start_us) * options_.rate / 1'000'000;
    if (number > due || number - seen_by_agent_ > backlog_max) {
      sleep_ms(publish_slice_ms);
      continue;
    }
    const TortureMessage message = stream_.message(number);
    if (!publisher_->publish(message.topic, message.payload).ok()) {
      publisher_failed_ = true;
      return;
    }
    account_.expect(message);
    published_ = number++;
  }
}

// ---- the violence

bool Torture::torment() {
  if (options_.at_points) return die_at_points();
  const int64_t end_ms = options_.seconds > 0 ? monotonic_ms() + options_.seconds * 1000 : INT64_MAX;
  while (kills_ < options_.kills && monotonic_ms() < end_ms && !publisher_failed_) {
    const uint64_t lot = schedule_.below(100);
    const bool two_left = options_.kills - kills_ >= 2;
    const Act next = lot >= 90              ? Act::TakeOver
                     : lot >= 80            ? Act::Stop
                     : lot < 20 && two_left ? Act::KillDuringStart
                                            : Act::Kill;
    if (!act(next)) return false;
    const bool tell = next == Act::Kill && kills_ % 10 == 0;
    if (tell)
      printf("%" PRIu64 " of %" PRIu64 " kills, %" PRIu64 " messages sent\n", kills_, options_.kills, published_.load());
    fflush(stdout);
  }
  return true;
}

/// Each act begins with a running agent and ends with one.
bool Torture::act(Act act) {
  sleep_ms(schedule_.between(1, longest_life_ms));
  switch (act) {
    case Act::KillDuringStart:
      agent_.kill9();
      if (!agent_.start().ok()) return false;
      sleep_ms(schedule_.between(0, longest_start_ms));
      ++kills_;
      [[fallthrough]];
    case Act::Kill:
      agent_.kill9();
      ++kills_;
      return restart();
    case Act::Stop:
      ++stops_;
      return agent_.terminate(ready_deadline_ms).has_value() && restart();
    case Act::TakeOver:
      ++take_overs_;
      return take_over();
  }
  return false;
}

/// Whole rounds over the points. Each start but the last of a round is one that comes to its end by itself.
bool Torture::die_at_points() {
  do {
    agent_.kill9();
    for (const test::CrashPoint& point : test::crash_points) {
      const bool passed_by =
          point.needs == test::CrashPointNeeds::Nothing || (point.needs == test::CrashPointNeeds::Journal && options_.journal);
      if (passed_by && point.name.starts_with(options_.point) && !die_at(point.name)) return false;
    }
    agent_.options().environment.clear();
    if (!restart()) return false;
  } while (kills_ < options_.kills && !publisher_failed_);
  return true;
}

bool Torture::die_at(std::string_view point) {
  const bool is_rare = point.starts_with("wal.");
  const int64_t visit = is_rare ? 1 : schedule_.between(1, visits_max);
  const std::string where = std::string(point) + ":" + std::to_string(visit);
  agent_.options().environment = {"WEIR_CRASH_AT=" + where};
  if (!agent_.start().ok()) return false;
  const std::optional<ProcessEnd> end = agent_.process().wait(point_deadline_ms);
  if (end && end->signal == SIGKILL) {
    ++kills_;
    return true;
  }
  printf("the agent did not die at %s\n", where.c_str());
  return false;
}

/// As a second client with the agent's id would. What was delivered and not yet acknowledged comes again, to the same process.
bool Torture::take_over() {
  const char* pipeline = torture_pipelines[schedule_.below(2)];
  const bool patient = schedule_.chance(70);
  if (!take_over_session(broker_.port(), torture_client_id(pipeline), options_.version5).ok()) return false;
  // Otherwise the act that is due next finds the agent without its connection.
  if (patient) sleep_ms(notices_ms);
  return !patient || agent_.wait_connected(ready_deadline_ms);
}

bool Torture::restart() { return agent_.start_ready(ready_deadline_ms).ok() && check_recovery(); }

/// What was told as completed must be there after the crash: ids never go back.
bool Torture::check_recovery() {
  const Result<ObservedAgent> status = agent_.status();
  if (!status.ok()) return false;
  uint64_t seen = 0;
  for (size_t index = 0; index < 2; ++index) {
    const ObservedPipeline pipeline = status.value().pipeline(torture_pipelines[index]);
    seen += pipeline.ledger.received - pipeline.ledger.duplicate;
    if (pipeline.recovery.checkpoint_id < newest_checkpoint_[index]) {
      printf("%s recovered from checkpoint %" PRIu64 ", but %" PRIu64 " had completed\n", torture_pipelines[index],
             pipeline.recovery.checkpoint_id, newest_checkpoint_[index]);
      return false;
    }
    newest_checkpoint_[index] = std::max(pipeline.recovery.checkpoint_id, pipeline.checkpoint.last_id);
  }
  seen_by_agent_ = seen;
  return true;
}

// ---- the end

/// Closes all windows and waits until their results are here, or until nothing moves any more.
bool Torture::settle() {
  for (const char* pipeline : torture_pipelines) {
    const TortureMessage closer = stream_.closer(pipeline, published_);
    if (!publisher_->publish(closer.topic, closer.payload).ok()) return false;
  }
  if (!publisher_->drain()) return false;
  size_t last_count = 0;
  uint64_t last_received = 0;
  int64_t moved_ms = monotonic_ms();
  while (monotonic_ms() - moved_ms < stalled_ms) {
    const Result<ObservedAgent> status = agent_.status();
    if (!status.ok()) return false;
    uint64_t received = 0;
    bool drained = true;
    for (const char* name : torture_pipelines) {
      const ObservedPipeline pipeline = status.value().pipeline(name);
      received += pipeline.ledger.received - pipeline.ledger.duplicate;
      drained = drained && pipeline.outbox.bytes == 0 && pipeline.source.unacknowledged == 0;
    }
    const size_t count = results_->distinct();
    if (drained && received >= published_ + 2 && count >= account_.windows()) return true;
    if (count != last_count || received != last_received) moved_ms = monotonic_ms();
    last_count = count;
    last_received = received;
    sleep_ms(20);
  }
  // Not at rest, but the account below says best what is missing.
  return true;
}

int Torture::conclude() {
  const Result<ObservedAgent> status = agent_.status();
  if (!status.ok()) return fail("the agent does not answer");
  Verdict verdict = account_.judge(results_->messages());
  bool balanced = true;
  uint64_t filtered = 0;
  for (const char* name : torture_pipelines) {
    const ObservedPipeline pipeline = status.value().pipeline(name);
    const Ledger& ledger = pipeline.ledger;
    printf("%-8s received %" PRIu64 " applied %" PRIu64 " filtered %" PRIu64 " late %" PRIu64 " dead-lettered %" PRIu64
           " duplicate %" PRIu64 " imbalance %" PRId64 ", checkpoint %" PRIu64 "\n",
           name, ledger.received, ledger.applied, ledger.filtered, ledger.late, ledger.dead_lettered, ledger.duplicate,
           pipeline.imbalance, pipeline.checkpoint.last_id);
    printf("%-8s results %" PRIu64 ", published %" PRIu64 " by this process, %" PRIu64
           " bytes wait in the outbox; watermark %" PRId64 "\n",
           "", ledger.results, pipeline.sink.published, pipeline.outbox.bytes, pipeline.watermark_ms.value_or(0));
    // One more than the stream's: the message that closed the windows.
    balanced = balanced && pipeline.imbalance == 0 && ledger.imbalance() == 0 && ledger.session_lost == 0 &&
               ledger.applied == account_.passing(name) + 1 && ledger.filtered == account_.filtered(name);
    // What the filter dropped is in no window; the agent's account is the only witness.
    if (ledger.filtered < account_.filtered(name)) verdict.lost += account_.filtered(name) - ledger.filtered;
    if (ledger.filtered > account_.filtered(name)) verdict.duplicated += ledger.filtered - account_.filtered(name);
    filtered += ledger.filtered;
  }
  for (const std::string& finding : verdict.findings) printf("  %s\n", finding.c_str());
  printf("windows %zu, results repeated %" PRIu64 ", wrong ids %" PRIu64 ", wrong content %" PRIu64
         ", account %s; stops %" PRIu64 ", sessions taken over %" PRIu64 "\n",
         account_.windows(), verdict.repeats, verdict.wrong_ids, verdict.wrong_content,
         balanced ? "balances" : "DOES NOT BALANCE", stops_, take_overs_);
  const int exit_code = verdict.good() && balanced ? 0 : fail("the account is not clean");
  printf("sent=%" PRIu64 " applied=%" PRIu64 " lost=%" PRIu64 " duplicated=%" PRIu64 " kills=%" PRIu64 " seed=%" PRIu64 "\n",
         published_.load(), verdict.applied + filtered, verdict.lost, verdict.duplicated, kills_, options_.seed);
  return exit_code;
}

}  // namespace weir
