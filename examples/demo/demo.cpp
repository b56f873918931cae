#include "examples/demo/demo.h"

#include <cinttypes>
#include <csignal>

#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

constexpr int64_t crash_at_default_ms = 10'000;
constexpr int64_t dead_for_ms = 1500;
constexpr int64_t account_every_ms = 1000;
constexpr int64_t turn_ms = 50;
constexpr int64_t catch_up_deadline_ms = 30'000;
constexpr int64_t results_deadline_ms = 20'000;
constexpr int64_t stop_deadline_ms = 20'000;

}  // namespace

Demo::Demo(int64_t seconds, Interrupts& interrupts)
    : interrupts_(interrupts),
      seconds_(seconds),
      crash_at_ms_(seconds > 0 ? seconds * 1000 / 2 : crash_at_default_ms),
      agent_({.program = WEIR_AGENT,
              .configs = {WEIR_SOURCE_DIR "/configs/overheat.toml"},
              .state_dir = directory_.file("state"),
              .log_path = directory_.file("weir.log")}) {}

int Demo::run() {
  if (!start()) return 1;
  introduce();
  start_ms_ = monotonic_ms();
  next_account_ms_ = start_ms_ + account_every_ms;
  watch();
  const bool in_good_order = end();
  if (const bool agree = accounts_agree(); !agree || !in_good_order) {
    directory_.keep();
    screen_.note("kept", directory_.path() + " (the agent's log and state)");
    screen_.verdict(false, "weir-demo: THE ACCOUNT DOES NOT BALANCE");
    return 1;
  }
  const auto messages = sensors_->acknowledged();
  screen_.verdict(true, text_of("weir-demo: %" PRIu64 " messages published, %" PRIu64 " accounted for%s: nothing lost, nothing "
                                "counted twice",
                                messages, messages, crashed_ ? ", across a kill -9" : ""));
  return 0;
}

bool Demo::complain(const char* what, const char* why) {
  screen_.warn("failed", text_of("%s: %s", what, why));
  return false;
}

ObservedPipeline Demo::pipeline() const {
  const Result<ObservedAgent> status = agent_.status();
  return status.ok() ? status.value().pipeline("overheat") : ObservedPipeline{};
}

/// Shows what happens meanwhile; a second Ctrl-C gives up.
template <class Condition>
bool Demo::wait_until(int64_t deadline_ms, Condition condition) {
  const int64_t end_ms = monotonic_ms() + deadline_ms;
  while (!condition()) {
    if (monotonic_ms() > end_ms || interrupts_.pause(turn_ms) > 1) return condition();
    show_news();
  }
  return true;
}

// ---- the beginning

bool Demo::start() {
  if (const Status status = broker_.start(); !status.ok()) return complain("mosquitto", status.text());
  alerts_ = std::make_unique<Alerts>(broker_.port());
  if (const Status status = alerts_->start(); !status.ok()) return complain("the subscriber", status.text());
  agent_.options().settings = {"agent.name=demo", "agent.state_dir=" + agent_.options().state_dir,
                               "mqtt.local.url=" + broker_.url()};
  if (Status status = agent_.start(); !status.ok()) return complain("weir", status.text());
  if (!agent_.wait_connected()) {
    screen_.note("its log", agent_.log());
    return complain("weir", "it did not connect to the broker");
  }
  sensors_ = std::make_unique<Sensors>(broker_.port());
  if (const Status status = sensors_->start(); !status.ok()) return complain("the sensors", status.text());
  return true;
}

void Demo::introduce() {
  const Result<ObservedAgent> status = agent_.status();
  screen_.title("weir " + (status.ok() ? status.value().version : "") +
                ": MQTT in, windows, MQTT out, every message counted once");
  screen_.note("broker", text_of("a private mosquitto on 127.0.0.1:%u with configs/mosquitto.conf", broker_.port()));
  screen_.note("pipeline", "configs/overheat.toml: mean and maximum per sensor and minute; above 80 degrees an alert");
  screen_.note("sensors", text_of("%d, %d messages a second: some late, some out of range, some malformed, one clock 3 h slow",
                                  Sensors::count,
                                  static_cast<int>(Sensors::count * Sensors::time_factor * 1000 / Sensors::reading_every_ms)));
  screen_.note("time", text_of("runs %d times faster here: a one-minute window closes every %d seconds",
                               static_cast<int>(Sensors::time_factor),
                               static_cast<int>(Reference::window_ms / Sensors::time_factor / 1000)));
  screen_.note("ahead", text_of("kill -9 after %" PRId64 " seconds; the end %s", crash_at_ms_ / 1000,
                                seconds_ > 0 ? text_of("after %" PRId64 " seconds", seconds_).c_str() : "with Ctrl-C"));
  if (status.ok())
    screen_.note("memory", text_of("%.1f MiB reserved before the first message, %.1f MiB resident",
                                   static_cast<double>(status.value().memory.reserved) / (1 << 20),
                                   static_cast<double>(status.value().memory.rss) / (1 << 20)));
}

// ---- the middle

void Demo::watch() {
  const int64_t end_ms = seconds_ > 0 ? start_ms_ + seconds_ * 1000 : INT64_MAX;
  while (monotonic_ms() < end_ms && screen_.open() && !sensors_->failed()) {
    if (interrupts_.pause(turn_ms) > 0) return;
    show_news();
    if (!crashed_ && monotonic_ms() >= start_ms_ + crash_at_ms_ && !crash_and_recover()) return;
  }
}

void Demo::show_news() {
  screen_.alerts(alerts_->take_new());
  if (monotonic_ms() < next_account_ms_) return;
  next_account_ms_ = monotonic_ms() + account_every_ms;
  const Result<ObservedAgent> status = agent_.status();
  if (!status.ok()) return;
  last_ = status.value().pipeline("overheat");
  screen_.account(monotonic_ms() - start_ms_, last_);
}

bool Demo::crash_and_recover() {
  crashed_ = true;
  const ObservedPipeline before = pipeline();
  agent_.kill9();
  screen_.warn("kill -9", text_of("the agent is gone; checkpoint %" PRIu64 " is on disk, %" PRIu64
                                  " newer messages were in its memory only",
                                  before.checkpoint.last_id, before.source.unacknowledged));
  const uint64_t published = sensors_->acknowledged();
  interrupts_.pause(dead_for_ms);
  screen_.note("meanwhile",
               text_of("the sensors go on: %" PRIu64 " messages wait at the broker", sensors_->acknowledged() - published));
  if (const Status status = agent_.start(); !status.ok()) return complain("weir", status.text());
  if (!agent_.wait_connected()) return complain("weir", "it did not come back");
  show_recovery(before, pipeline());
  return true;
}

void Demo::show_recovery(const ObservedPipeline& before, const ObservedPipeline& after) {
  screen_.note("recovered", text_of("from checkpoint %" PRIu64 ": database opened in %.0f ms, state restored in %.0f ms,",
                                    after.recovery.checkpoint_id, after.recovery.open_ms, after.recovery.restore_ms));
  screen_.note("", text_of("broker's session resumed in %.0f ms; %.0f ms in all since the process began",
                           after.recovery.connect_ms, after.recovery.total_ms));
  screen_.note("", "ids of new checkpoints begin well above: after a crash none can be used twice");
  if (after.recovery.checkpoint_id < before.checkpoint.last_id)
    screen_.warn("", "an older checkpoint than the newest one that the agent had reported");
}

// ---- the end

bool Demo::catch_up() {
  const auto caught_up = [this] {
    const ObservedPipeline now = pipeline();
    return now.ledger.received - now.ledger.duplicate >= sensors_->acknowledged();
  };
  if (!wait_until(catch_up_deadline_ms, caught_up)) return complain("weir", "messages are missing");
  // What has been worked out leaves with the next checkpoint: it may as well be now.
  agent_.process().signal(SIGUSR1);
  const size_t expected = sensors_->reference().alerts().size();
  if (!wait_until(results_deadline_ms, [&] { return alerts_->distinct() >= expected; }))
    return complain("weir", "alerts are missing");
  return true;
}

bool Demo::end() {
  screen_.note("ending", "the sensors stop; weir works off what is on its way");
  if (!sensors_->stop()) return complain("the sensors", "the broker does not acknowledge");
  bool good = agent_.running() ? catch_up() : complain("weir", "it has ended by itself");
  screen_.alerts(alerts_->take_new());
  if (const Result<ObservedAgent> status = agent_.status(); status.ok()) last_ = status.value().pipeline("overheat");
  const auto ended = agent_.terminate(stop_deadline_ms);
  if (!ended || ended->exit_code != 0) good = complain("weir", "SIGTERM did not end it in good order");
  return good;
}

bool Demo::accounts_agree() {
  const ExpectedAccount& expected = sensors_->reference().account();
  const Ledger& found = last_.ledger;
  std::string reasons;
  for (const auto& [reason, count] : last_.dead_letter_reasons)
    reasons += text_of("%s%s %" PRIu64, reasons.empty() ? "" : ", ", reason.c_str(), count);
  const std::vector<Alert>& alerts = sensors_->reference().alerts();
  screen_.comparison_title();
  bool good = screen_.compare("messages", sensors_->acknowledged(), found.received - found.duplicate,
                              text_of("%" PRIu64 " redeliveries recognised and dropped", found.duplicate));
  good &= screen_.compare("applied", expected.applied, found.applied);
  good &= screen_.compare("filtered", expected.filtered, found.filtered, "out of range");
  good &= screen_.compare("late", expected.late, found.late, "their window had closed");
  good &= screen_.compare("refused", expected.dead_lettered, found.dead_lettered, reasons);
  good &= screen_.compare("alerts", alerts.size(), alerts_->distinct(),
                          text_of("%" PRIu64 " came twice, recognised by their weir-id", alerts_->repeated()));
  if (!alerts_->equal(alerts)) good = complain("alerts", "not the windows, maxima and counts that the readings make");
  if (found.imbalance() != 0) good = complain("weir", "its own account does not balance");
  return good;
}

}  // namespace weir
