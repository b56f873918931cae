// A disk without a byte left: an ext4 file system of a few megabytes on a loop device, filled while the agent runs. Needs root
// and loop devices; skipped by name elsewhere.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

/// A file system of its own under `directory`, which is made.
class LoopDisk {
 public:
  LoopDisk(const std::string& image, off_t bytes, const std::string& directory) : directory_(directory) {
    if (geteuid() != 0 || !write_whole_file(image, "").ok() || truncate(image.c_str(), bytes) != 0) return;
    if (mkdir(directory.c_str(), 0700) != 0) return;
    mounted_ = works({"mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", image}) &&
               works({"mount", "-o", "loop,noatime", image, directory});
  }
  ~LoopDisk() {
    if (mounted_ && !works({"umount", directory_})) (void)works({"umount", "--lazy", directory_});
  }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  bool mounted() const { return mounted_; }

  /// To the last byte.
  void fill() {
    const int file = open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (const std::string& piece : {std::string(65536, 'x'), std::string(512, 'x'), std::string(1, 'x')})
      while (write(file, piece.data(), piece.size()) > 0) continue;
    close(file);
  }
  void make_room() { unlink(filler().c_str()); }
  bool is_full() const {
    const std::string path = directory_ + "/more";
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool refused = file < 0 || (write(file, "x", 1) < 0 && errno == ENOSPC);
    close(file);
    unlink(path.c_str());
    return refused;
  }

 private:
  static bool works(const std::vector<std::string>& command) {
    const ProcessResult result = run_process(command);
    return result.finished && result.end.exit_code == 0;
  }
  std::string filler() const { return directory_ + "/filler"; }

  std::string directory_;
  bool mounted_ = false;
};

class FullDiskTest : public GatewayTest {
 public:
  std::unique_ptr<LoopDisk> disk;

  /// False: not here.
  bool start_on_disk_of(off_t bytes) {
    prepare();
    gateway->replace("key_by = [\"device\"]", "key_by = [\"device\"]\n  max_keys = 100");
    disk = std::make_unique<LoopDisk>(gateway->directory().file("image"), bytes, gateway->state_dir());
    if (!disk->mounted()) {
      UT_PRINT("skipped: loop devices cannot be mounted here");
      return false;
    }
    CHECK_TRUE_TEXT(gateway->start(), "the gateway did not come up");
    return true;
  }
  void teardown() override {
    GatewayTest::teardown();
    disk.reset();
  }
  void measure_many(int from, int count) {
    for (int number = from; number < from + count; ++number) measure("d" + std::to_string(number % 50), number, number * 20);
  }
  /// Messages that cannot be decoded are kept with the state, and so make it grow.
  void publish_rubbish(int count) {
    const std::string rubbish = "{" + std::string(4000, 'x');
    for (int number = 0; number < count; ++number) CHECK_TRUE(gateway->publish("sensors/bad/env", rubbish));
  }
};

TEST_GROUP_BASE(FullDisk, FullDiskTest){};

TEST(FullDisk, does_not_stop_checkpoints_whose_space_was_reserved_nor_a_recovery) {
  if (!start_on_disk_of(8 << 20)) return;
  measure_many(0, 100);
  CHECK_TRUE(gateway->wait_received(100));
  STRCMP_EQUAL("", gateway->agent().log().find("no room to reserve") == std::string::npos ? "" : "space was not reserved");
  disk->fill();
  CHECK_TRUE(disk->is_full());
  const uint64_t before = gateway->pipeline().checkpoint.completed;
  for (int round = 1; round <= 80; ++round) {
    measure_many(round * 100, 25);
    CHECK_TRUE(gateway->wait_received(static_cast<uint64_t>(100 + round * 25)));
  }
  CHECK_TRUE(gateway->pipeline().checkpoint.completed >= before + 80);
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().checkpoint.failed);
  crash_and_restart();
  measure_many(10'000, 100);
  CHECK_TRUE(gateway->wait_received(2200));
  LONGS_EQUAL(0, gateway->pipeline().imbalance);
  CHECK_TRUE(disk->is_full());
}

TEST(FullDisk, holds_acknowledgements_where_the_state_must_grow_and_goes_on_when_there_is_room) {
  if (!start_on_disk_of(16 << 20)) return;
  disk->fill();
  CHECK_TRUE(disk->is_full());
  publish_rubbish(1200);
  const auto failing = [](const ObservedAgent& agent) { return agent.pipelines.front().checkpoint.failed >= 3; };
  CHECK_TRUE(failing(gateway->agent().wait_for(failing)));
  const ObservedPipeline held = gateway->pipeline();
  CHECK_TRUE(held.source.unacknowledged > 0);
  CHECK_TRUE(held.ledger.received < 1200);
  STRCMP_CONTAINS("full", gateway->weir({"status", gateway->config_path()}).output.c_str());
  disk->make_room();
  CHECK_TRUE(gateway->wait_received(1200, 60'000));
  measure_many(0, 10);
  CHECK_TRUE(gateway->wait_received(1210));
  UNSIGNED_LONGS_EQUAL(1200, gateway->pipeline().ledger.dead_lettered);
  LONGS_EQUAL(0, gateway->pipeline().imbalance);
}

}  // namespace
