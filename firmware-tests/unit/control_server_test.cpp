// The control socket over a real reactor, a real socket and real clients in threads.
#include "agent/status/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "agent/app/control_client.h"
#include "agent/runtime/reactor.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ControlServer), ControlHandler, TurnHandler {
  Arena arena{4 << 20};
  SystemClock clock;
  TemporaryDirectory directory;
  Reactor reactor{arena, clock, 8, 2};
  ControlServer server{arena, 300'000};
  std::string asked;
  bool promise = false;
  std::atomic<bool> stop{false};  // set by the client's thread

  Answer on_command(std::string_view line, TextWriter & out, Now) override {
    asked = line;
    if (line == "large") {
      for (int i = 0; i < 250'000; ++i) out.append('x');
    } else {
      out.append("you said ").append(line).append('\n');
    }
    if (promise) return Answer::Later;
    return Answer::Now;
  }
  void on_turn(Now now) override {
    if (promise && !asked.empty()) {
      promise = false;
      server.answer(now);
    }
    server.on_tick(now);
    if (stop) reactor.stop();
  }
  int64_t next_deadline_boot_ms() const override { return reactor_now() + 5; }
  int64_t reactor_now() const { return const_cast<SystemClock&>(clock).now().boot_ms; }

  void setup() override {
    CHECK(reactor.open().ok());
    reactor.add(*this);
    CHECK(server.start(reactor, control_path(directory.path()), *this).ok());
  }
  void teardown() override { server.stop(); }

  template <class Client>
  void while_a_client(Client client) {
    std::thread thread([&] {
      client();
      stop = true;
    });
    CHECK(reactor.run().ok());
    thread.join();
  }
  std::string ask(const std::string& line) {
    Result<std::string> answer = ask_agent(directory.path(), line);
    return answer.ok() ? answer.value() : answer.status().text();
  }
  int connect_raw() {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = control_path(directory.path());
    path.copy(address.sun_path, path.size());
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
    return fd;
  }
};

TEST(ControlServer, answers_a_line_and_closes) {
  std::string answer;
  while_a_client([&] { answer = ask("status"); });
  STRCMP_EQUAL("you said status\n", answer.c_str());
}

TEST(ControlServer, serves_one_caller_after_the_other) {
  std::string second;
  while_a_client([&] {
    ask("one");
    second = ask("two");
  });
  STRCMP_EQUAL("you said two\n", second.c_str());
}

TEST(ControlServer, sends_an_answer_larger_than_a_socket_buffer) {
  std::string answer;
  while_a_client([&] { answer = ask("large"); });
  UNSIGNED_LONGS_EQUAL(250'000, answer.size());
}

TEST(ControlServer, keeps_a_promise_for_later) {
  promise = true;
  std::string answer;
  while_a_client([&] { answer = ask("slow"); });
  STRCMP_EQUAL("you said slow\n", answer.c_str());
}

TEST(ControlServer, hangs_up_on_a_line_that_does_not_end) {
  std::string after;
  while_a_client([&] {
    int fd = connect_raw();
    std::string endless(600, 'x');
    CHECK(send(fd, endless.data(), endless.size(), MSG_NOSIGNAL) > 0);
    char byte;
    CHECK(read(fd, &byte, 1) <= 0);
    close(fd);
    after = ask("still there?");
  });
  STRCMP_EQUAL("you said still there?\n", after.c_str());
}

TEST(ControlServer, hangs_up_on_a_silent_caller) {
  std::string after;
  while_a_client([&] {
    int silent = connect_raw();
    after = ask("status");
    close(silent);
  });
  STRCMP_EQUAL("you said status\n", after.c_str());
}

TEST(ControlServer, is_for_the_owner_only_and_leaves_nothing_behind) {
  struct stat info {};
  LONGS_EQUAL(0, stat(control_path(directory.path()).c_str(), &info));
  LONGS_EQUAL(0600, info.st_mode & 0777);
  server.stop();
  CHECK(stat(control_path(directory.path()).c_str(), &info) != 0);
}
