// The n-th open, read, write, sync, truncation or deletion below the checkpoint store fails, for n = 1, 2, 3 and so on until
// none is left to fail. The process above must end with an I/O error or not notice at all, and the next one must find what was
// announced, whether the machine went down in between or not.
#include <cstdio>
#include <cstdlib>

#include "firmware-tests/support/store_history.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t checkpoints_per_process = 4;

struct Fault {
  DiskOperation operation;
  uint64_t nth;
  bool persistent;
  bool at_first_start;  // or at the second
  bool power_cut;       // after it
};

struct FaultResult {
  bool fired = false;
  bool fired_while_running = false;  // not only while the store was closed
  bool noticed = false;
  std::string problem;
};

FaultResult run_with(const Fault& fault) {
  TemporaryDirectory directory;
  SimDisk disk(fault.nth);
  StoreModel model;
  const StoreOptions options = small_store(directory.file("state"));
  FaultResult result;
  auto run = [&](uint64_t seed) {
    StoreProcess process(model, options, seed, 2);
    const Status status = live(process, model, checkpoints_per_process);
    result.fired_while_running = disk.failure_fired();
    return status;
  };
  if (!fault.at_first_start && !run(1).ok()) model.note_problem("fails without a fault");
  disk.fail(fault.operation, fault.nth, fault.persistent);
  const Status status = run(2);
  const bool fired_while_running = result.fired_while_running;
  result.fired = disk.failure_fired();
  result.noticed = !status.ok();
  if (result.noticed && status.code() != Code::Io) model.note_problem(std::string("another error: ") + status.text());
  if (result.noticed && !result.fired) model.note_problem("an error without a fault");
  disk.fail_no_more();
  if (fault.power_cut) disk.power_on();
  const Status again = run(3);
  if (!again.ok()) model.note_problem(std::string("does not recover: ") + again.text());
  return {result.fired, fired_while_running, result.noticed, model.problem};
}

}  // namespace

TEST_GROUP(DiskFault) {
  uint64_t fired = 0;
  uint64_t fired_while_running = 0;
  uint64_t noticed = 0;
  void fail_each(Fault fault) {
    for (fault.nth = 1;; ++fault.nth) {
      const FaultResult result = run_with(fault);
      const std::string text = std::string(fault.persistent ? "from " : "") + disk_operation_name(fault.operation) + " " +
                               std::to_string(fault.nth) + (fault.at_first_start ? ", first start" : ", second start") +
                               (fault.power_cut ? ", power cut: " : ": ") + result.problem;
      CHECK_TRUE_TEXT(result.problem.empty(), text.c_str());
      if (!result.fired) return;
      ++fired;
      if (result.fired_while_running) ++fired_while_running;
      if (result.noticed) ++noticed;
    }
  }
  void fail_every(DiskOperation operation) {
    const bool all = getenv("WEIR_LONG") != nullptr;
    for (bool persistent : {false, true})
      for (bool at_first_start : {false, true})
        for (bool power_cut : {false, true})
          if (all || power_cut == (persistent == at_first_start))
            fail_each({operation, 0, persistent, at_first_start, power_cut});
    printf(" [%llu faults, %llu of them while it ran, %llu noticed]", static_cast<unsigned long long>(fired),
           static_cast<unsigned long long>(fired_while_running), static_cast<unsigned long long>(noticed));
    CHECK(fired > 0);
  }
};

TEST(DiskFault, of_any_open_is_survived) {
  fail_every(DiskOperation::Open);
  CHECK(noticed > 0);
}
TEST(DiskFault, of_any_read_is_survived) {
  fail_every(DiskOperation::Read);
  CHECK(noticed > 0);
}
TEST(DiskFault, of_any_write_is_survived) {
  fail_every(DiskOperation::Write);
  UNSIGNED_LONGS_EQUAL(fired_while_running, noticed);
}
TEST(DiskFault, of_any_sync_is_survived) {
  fail_every(DiskOperation::Sync);
  UNSIGNED_LONGS_EQUAL(fired_while_running, noticed);
}
TEST(DiskFault, of_any_truncation_is_survived) { fail_every(DiskOperation::Truncate); }
TEST(DiskFault, of_any_deletion_is_survived) { fail_every(DiskOperation::Delete); }

TEST_GROUP(DiskWithoutRoom) {
  TemporaryDirectory directory;
  SimDisk disk{1};
  StoreModel model;
  StoreOptions options = small_store(directory.file("state"));
  std::unique_ptr<StoreProcess> process;

  void start() {
    process = std::make_unique<StoreProcess>(model, options, ++seed, 2);
    STRCMP_EQUAL("ok", process->start().text());
  }
  void restart_after_power_cut() {
    process = nullptr;
    disk.power_on();
    start();
  }
  /// The first error, or Ok after so many more checkpoints.
  Status go_on(uint64_t checkpoints) {
    const uint64_t wanted = process->commits() + checkpoints;
    while (process->commits() < wanted) {
      WEIR_TRY(process->run_once());
      WEIR_TRY(process->housekeeping());
    }
    return {};
  }
  void check_model() { STRCMP_EQUAL("", model.problem.c_str()); }
  uint64_t seed = 0;
};

TEST(DiskWithoutRoom, makes_every_checkpoint_in_the_space_that_was_reserved) {
  options.database_bytes = 512 << 10;
  start();
  STRCMP_EQUAL("ok", process->space_reserved().text());
  disk.bytes_max = disk.bytes();
  STRCMP_EQUAL("ok", go_on(200).text());
  restart_after_power_cut();
  STRCMP_EQUAL("ok", go_on(20).text());
  UNSIGNED_LONGS_EQUAL(disk.bytes_max, disk.bytes());
  check_model();
}

TEST(DiskWithoutRoom, says_that_a_checkpoint_does_not_fit_and_goes_on_once_it_does) {
  start();
  disk.bytes_max = disk.bytes();
  Status status;
  for (int attempt = 0; attempt < 400 && status.ok(); ++attempt) status = go_on(1);
  CHECK(status.code() == Code::Full);
  CHECK(go_on(1).code() == Code::Full);
  const uint64_t announced = model.announced;
  restart_after_power_cut();
  UNSIGNED_LONGS_EQUAL(announced, model.announced);
  disk.bytes_max = UINT64_MAX;
  STRCMP_EQUAL("ok", go_on(30).text());
  restart_after_power_cut();
  check_model();
}

TEST(DiskWithoutRoom, at_the_first_start_is_said) {
  disk.bytes_max = 100 << 10;
  SqliteCheckpointStore store;
  STRCMP_EQUAL("ok", store.open(options).text());
  CHECK(store.space_reserved().code() == Code::Full);
}
