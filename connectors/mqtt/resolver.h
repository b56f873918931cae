// Resolver: turns a broker's name into numeric addresses without holding up the reactor. Numeric hosts are answered at once;
// for a name one thread per resolver runs getaddrinfo, so that a name server that does not answer for one broker delays no
// other. The answer is announced on an eventfd. Owned by a Connector; used on the reactor thread.
//
// getaddrinfo cannot be interrupted. The thread shortens the resolver's timeouts (2 s, two tries per name server), and the
// destructor joins it: nothing waits for it before that, so an agent says all its goodbyes first.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

#include "agent/base/status.h"

namespace weir {

/// Numeric addresses in the order in which they should be tried.
struct Addresses {
  static constexpr size_t count_max = 8;
  struct Text {
    char text[64];
  };
  Text list[count_max];
  size_t count = 0;
  const char* error = "";  // a constant; why there are none
};

class Resolver {
 public:
  explicit Resolver(std::string host);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Makes the eventfd, and the thread if the host is a name. Once.
  Status start();
  /// Readable when an answer is there.
  int event_fd() const { return event_fd_; }
  /// Asks; one question at a time.
  void request();
  /// The answer to the last request. False if it has not come yet. Clears the eventfd.
  bool take(Addresses& addresses);

 private:
  void run();
  void answer();

  std::string host_;
  bool numeric_;
  int event_fd_ = -1;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;    // guarded by mutex_
  bool answered_ = false;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  Addresses answer_;       // guarded by mutex_
};

}  // namespace weir
