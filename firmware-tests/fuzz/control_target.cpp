// An agent of its own, whose reactor runs in a thread; the caller is a real one, over a real socket.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/app/agent.h"
#include "agent/app/control_client.h"
#include "agent/base/log.h"
#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"
#include "firmware-tests/support/wait.h"

namespace weir::fuzz {
namespace {

constexpr int answer_deadline_ms = 20'000;
constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/// The agent takes these for its flight recorder; what finds a crash here is the fuzzer.
class SignalsKept {
 public:
  SignalsKept() {
    for (size_t index = 0; index < fatal_signals.size(); ++index) sigaction(fatal_signals[index], nullptr, &before_[index]);
  }
  ~SignalsKept() {
    for (size_t index = 0; index < fatal_signals.size(); ++index) sigaction(fatal_signals[index], &before_[index], nullptr);
  }

 private:
  std::array<struct sigaction, fatal_signals.size()> before_{};
};

/// No broker is where it looks for one.
std::string configuration(const std::string& state_dir) {
  return "[agent]\nname = \"fuzz\"\nstate_dir = \"" + state_dir +
         "\"\n[mqtt.local]\nurl = \"mqtt://127.0.0.1:1\"\n"
         "[[pipeline]]\nname = \"p\"\ncheckpoint = { durability = \"process-crash\", min_pause = \"0s\" }\n"
         "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"a/+\"]\nformat = \"json\"\n"
         "fields = { device = \"topic[1]\", value = \"float\" }\n"
         "[[pipeline.step]]\nid = \"calm\"\nkey_by = [\"device\"]\ndeadband = { field = \"value\", absolute = 0.5 }\n"
         "[pipeline.sink]\nmqtt = \"local\"\ntopic = \"x/{device}\"\nformat = \"json\"\n";
}

class RunningAgent {
 public:
  RunningAgent() {
    set_log_level(LogLevel::Error);
    const SignalsKept signals;
    const std::string path = directory_.file("weir.toml");
    WEIR_ASSERT(write_whole_file(path, configuration(state_dir())).ok());
    config_ = load_config(std::vector<std::string>{path}, {});
    agent_ = std::make_unique<Agent>(config_, clock_);
    WEIR_ASSERT(config_.diagnostics.errors() == 0);
    thread_ = std::thread([this] { run(); });
    const bool answers = eventually(answer_deadline_ms, [this] { return ask_agent(state_dir(), "pipelines").ok(); });
    WEIR_ASSERT(answers);
  }
  ~RunningAgent() {
    (void)ask_agent(state_dir(), "stop").ok();
    thread_.join();
    set_log_level(LogLevel::Info);
  }

  int connect_to() const {
    const int caller = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = control_path(state_dir());
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const bool connected = caller >= 0 && connect(caller, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    WEIR_ASSERT(connected);
    return caller;
  }

 private:
  /// The agent gives its thread a stack for signals. A sanitizer wants to find its own again when the thread ends.
  void run() {
    stack_t before{};
    sigaltstack(nullptr, &before);
    agent_->run({});
    sigaltstack(&before, nullptr);
  }
  std::string state_dir() const { return directory_.file("state"); }

  TemporaryDirectory directory_{"weir-fuzz"};
  SystemClock clock_;
  LoadedConfig config_;
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
};

std::unique_ptr<RunningAgent>& running_agent() {
  static std::unique_ptr<RunningAgent> agent;
  return agent;
}

/// It would do as it is told.
bool asks_to_stop(std::string_view line) { return line == "stop" || line == "stop drain"; }

/// Reads until the agent hangs up. What is no whole line gets no answer.
void take_answer(int caller) {
  std::array<char, 4096> buffer;
  for (;;) {
    pollfd readable{.fd = caller, .events = POLLIN, .revents = 0};
    // A fuzzer has a timer, whose signal is no answer.
    int ready = -1;
    do {
      ready = poll(&readable, 1, answer_deadline_ms);
    } while (ready < 0 && errno == EINTR);
    WEIR_ASSERT(ready == 1);
    if (read(caller, buffer.data(), buffer.size()) <= 0) return;
  }
}

}  // namespace

void control(Bytes input) {
  const std::string_view text = as_text(input);
  if (asks_to_stop(text.substr(0, text.find('\n')))) return;
  if (running_agent() == nullptr) running_agent() = std::make_unique<RunningAgent>();
  const int caller = running_agent()->connect_to();
  // In two parts, as a slow caller's line may come.
  const size_t half = text.size() / 2;
  (void)!send(caller, text.data(), half, MSG_NOSIGNAL);
  (void)!send(caller, text.data() + half, text.size() - half, MSG_NOSIGNAL);
  shutdown(caller, SHUT_WR);
  take_answer(caller);
  close(caller);
}

void stop_control() { running_agent().reset(); }

}  // namespace weir::fuzz
