#include "connectors/mqtt/resolver.h"

#include <netdb.h>
#include <resolv.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "agent/base/heap_guard.h"

namespace weir {
namespace {

Addresses look_up(const char* host, int flags) {
  HeapScope scope(HeapOwner::SystemLibrary);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  Addresses addresses;
  int code = getaddrinfo(host, nullptr, &hints, &found);
  if (code != 0) {
    addresses.error = gai_strerror(code);
    return addresses;
  }
  for (addrinfo* each = found; each != nullptr && addresses.count < Addresses::count_max; each = each->ai_next) {
    char* text = addresses.list[addresses.count].text;
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof addresses.list[0].text, nullptr, 0, NI_NUMERICHOST) == 0)
      ++addresses.count;
  }
  freeaddrinfo(found);
  if (addresses.count == 0) addresses.error = "the host has no usable address";
  return addresses;
}

void shorten_timeouts() {
  if (res_ninit(&_res) != 0) return;
  _res.retrans = 2;
  _res.retry = 2;
}

}  // namespace

Resolver::Resolver(std::string host) : host_(std::move(host)), numeric_(look_up(host_.c_str(), AI_NUMERICHOST).count > 0) {}

Resolver::~Resolver() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  if (event_fd_ >= 0) close(event_fd_);
}

Status Resolver::start() {
  HeapScope scope(HeapOwner::SystemLibrary);
  event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_fd_ < 0) return Status(Code::Io, "cannot make an eventfd", errno);
  if (!numeric_) thread_ = std::thread(&Resolver::run, this);
  return {};
}

void Resolver::request() {
  {
    std::lock_guard lock(mutex_);
    wanted_ = true;
    answered_ = false;
  }
  if (numeric_) {
    answer();
  } else {
    changed_.notify_one();
  }
}

bool Resolver::take(Addresses& addresses) {
  std::lock_guard lock(mutex_);
  uint64_t count = 0;
  if (read(event_fd_, &count, sizeof count) < 0) {
    // Nothing was announced; the flag below says the same.
  }
  if (!answered_) return false;
  answered_ = false;
  addresses = answer_;
  return true;
}

void Resolver::run() {
  HeapScope scope(HeapOwner::SystemLibrary);
  shorten_timeouts();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return wanted_ || stopping_; });
      if (stopping_) break;
    }
    answer();
  }
  res_nclose(&_res);
}

void Resolver::answer() {
  Addresses addresses = look_up(host_.c_str(), numeric_ ? AI_NUMERICHOST : AI_ADDRCONFIG);
  if (!numeric_ && addresses.count == 0) addresses = look_up(host_.c_str(), 0);
  std::lock_guard lock(mutex_);
  wanted_ = false;
  answered_ = true;
  answer_ = addresses;
  uint64_t one = 1;
  if (write(event_fd_, &one, sizeof one) < 0) {
    // The counter is full, so it is readable, which is all that was wanted.
  }
}

}  // namespace weir
