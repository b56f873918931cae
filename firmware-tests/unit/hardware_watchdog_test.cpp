// A FIFO stands in for the device: it shows each byte in order, and knows nothing of timeouts.
#include "agent/runtime/hardware_watchdog.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(HardwareWatchdog) {
  TemporaryDirectory directory;
  std::string path = directory.file("watchdog");
  int reader = -1;
  HardwareWatchdog watchdog;

  void setup() override {
    LONGS_EQUAL(0, mkfifo(path.c_str(), 0600));
    reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK_TRUE(reader >= 0);
  }
  void teardown() override { close(reader); }
  std::string written() const {
    char bytes[64];
    const ssize_t count = read(reader, bytes, sizeof bytes);
    return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : "";
  }
};

TEST(HardwareWatchdog, is_petted_when_it_is_opened_and_then_on_request) {
  CHECK_TRUE(watchdog.open(path.c_str(), 20'000).ok());
  STRCMP_EQUAL("\n", written().c_str());
  CHECK_TRUE(watchdog.pet().ok());
  STRCMP_EQUAL("\n", written().c_str());
  LONGS_EQUAL(20'000, watchdog.timeout_ms());
  LONGS_EQUAL(5'000, watchdog.pet_every_ms());
}

TEST(HardwareWatchdog, disarmed_has_the_letter_as_its_last_byte) {
  CHECK_TRUE(watchdog.open(path.c_str(), 20'000).ok());
  watchdog.disarm();
  STRCMP_EQUAL("\nV", written().c_str());
  CHECK_FALSE(watchdog.is_open());
}

TEST(HardwareWatchdog, left_has_no_such_letter) {
  CHECK_TRUE(watchdog.open(path.c_str(), 20'000).ok());
  watchdog.leave();
  STRCMP_EQUAL("\n", written().c_str());
  CHECK_FALSE(watchdog.is_open());
}

TEST(HardwareWatchdog, that_was_never_opened_is_disarmed_without_harm) {
  watchdog.disarm();
  STRCMP_EQUAL("", written().c_str());
}

TEST(HardwareWatchdog, that_is_not_there_is_refused) {
  const Status status = watchdog.open(directory.file("none").c_str(), 20'000);
  CHECK_TRUE(status.code() == Code::Io);
  CHECK_FALSE(watchdog.is_open());
}

TEST(HardwareWatchdog, that_takes_nothing_any_more_is_told) {
  signal(SIGPIPE, SIG_IGN);
  CHECK_TRUE(watchdog.open(path.c_str(), 20'000).ok());
  close(reader);
  CHECK_TRUE(watchdog.pet().code() == Code::Io);
  reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}
