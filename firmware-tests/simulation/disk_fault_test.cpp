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
