// ControlServer: a Unix stream socket in the state directory on which other programs of the same user talk to the agent: one
// line in, one answer out, the connection closes. One connection at a time, fixed buffers, a deadline for slow callers.
// Reactor thread only.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/text_writer.h"
#include "agent/model/poller.h"

namespace weir {

class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  enum class Answer : uint8_t { Now, Later };
  /// Answers `line` into `out`, or says Later and calls ControlServer::answer() when `out` (which stays valid) is filled.
  virtual Answer on_command(std::string_view line, TextWriter& out, Now now) = 0;
};

class ControlServer final : private PollHandler {
 public:
  ControlServer(Arena& arena, size_t answer_bytes_max);
  ~ControlServer() override;

  /// Binds `path` (an old socket there is removed: the caller holds the lock of the state directory) with mode 0600.
  Status start(Poller& poller, const std::string& path, ControlHandler& handler);
  void stop();
  /// The answer that was promised is in the buffer.
  void answer(Now now);
  /// Closes a caller that has been silent for too long.
  void on_tick(Now now);

 private:
  enum class State : uint8_t { Idle, Reading, Waiting, Writing };
  void on_ready(uint32_t events, Now now) override;
  void accept_caller(Now now);
  void read_line(Now now);
  void write_answer();
  void hang_up();

  static constexpr size_t line_max = 512;
  std::span<char> line_;
  std::span<char> answer_bytes_;
  TextWriter answer_;
  size_t line_size_ = 0;
  size_t written_ = 0;
  State state_ = State::Idle;
  bool caller_gone_ = false;
  int listener_ = -1;
  int caller_ = -1;
  int64_t since_boot_ms_ = 0;
  std::string path_;
  Poller* poller_ = nullptr;
  ControlHandler* handler_ = nullptr;
};

}  // namespace weir
