// NotifySocket: what a service manager listens to (sd_notify(3)), for tests. Every message is kept with the time it came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

class NotifySocket {
 public:
  struct Message {
    std::string text;
    int64_t at_ms = 0;  // monotonic, when it was taken from the socket
  };

  explicit NotifySocket(std::string path);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& path() const { return path_; }
  bool open() const { return fd_ >= 0; }
  /// Until a message begins with `text`; messages before `since` do not count.
  bool wait_for(const std::string& text, int64_t deadline_ms = 10'000, size_t since = 0);
  /// Takes what comes in that time.
  void listen(int64_t duration_ms);
  /// So many messages, of those that have come, begin with `text`.
  size_t count(const std::string& text, size_t since = 0) const;
  const std::vector<Message>& messages() const { return messages_; }

 private:
  bool take(int64_t wait_ms);

  std::string path_;
  int fd_ = -1;
  std::vector<Message> messages_;
};

}  // namespace weir
