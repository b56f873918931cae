// What the journal's tests share: a disk, processes that come and go, and what each of them appended and got back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "firmware-tests/support/simulated_file.h"
#include "firmware-tests/support/step_worker.h"
#include "storage/journal.h"

namespace weir {

/// A process with a journal: it appends numbered messages, and counts what became durable.
class JournalProcess final : private JournalUser {
 public:
  JournalProcess(SimulatedDisk& disk, uint64_t ring_bytes, uint64_t shift = 0, size_t record_bytes_max = 3000)
      : JournalProcess(
            [&disk, shift](uint64_t bytes, bool) {
              return Result<std::unique_ptr<BlockFile>>(std::make_unique<SimulatedFile>(disk, bytes, shift));
            },
            ring_bytes, record_bytes_max) {}
  /// On another disk.
  JournalProcess(RingJournal::OpenFile open_file, uint64_t ring_bytes, size_t record_bytes_max)
      : journal_({.name = "test", .state_dir = "", .ring_bytes = ring_bytes, .record_bytes_max = record_bytes_max},
                 std::move(open_file), &worker_, arena_) {
    journal_.connect(*this);
  }

  Result<JournalRecovery> open(const JournalPosition* from, bool nothing_follows = false) {
    Result<JournalRecovery> recovery = journal_.open(from, nothing_follows);
    if (recovery.ok()) replay();
    return recovery;
  }

  /// Message `number` says so, and is padded to `bytes`.
  static std::string payload_of(uint64_t number, size_t bytes) {
    std::string payload = std::to_string(number) + ":";
    payload.resize(std::max(bytes, payload.size()), static_cast<char>('a' + number % 26));
    return payload;
  }
  void append(uint64_t number, size_t bytes, JournalKind kind = JournalKind::Message) {
    const std::string payload = payload_of(number, bytes);
    journal_.append({.kind = kind,
                     .qos = 1,
                     .retained = number % 2 == 0,
                     .unsynchronised = number % 3 == 0,
                     .packet_id = static_cast<uint16_t>(number % 65535 + 1),
                     .arrival_ms = static_cast<int64_t>(number * 10),
                     .offset = number,
                     .full_bytes = bytes * 2,
                     .hash = number * 3,
                     .topic = "a/b",
                     .payload = as_bytes(payload)});
  }
  /// True if it is durable now.
  bool commit() {
    journal_.commit();
    worker_.run();
    return durable_.ok();
  }

  RingJournal& journal() { return journal_; }
  StepWorker& worker() { return worker_; }
  Status durable() const { return durable_; }
  /// What the start handed over again: offsets, in order; 0 for a record that is not what was appended.
  const std::vector<uint64_t>& replayed() const { return replayed_; }
  const std::vector<JournalRecord>& records() const { return records_; }

 private:
  void replay() {
    do {
      journal_.read_batch();
      worker_.run();
      JournalRecord record;
      while (batch_.ok() && journal_.next(record)) take(record);
    } while (batch_.ok());
  }
  void take(const JournalRecord& record) {
    const bool right = as_text(record.payload) == payload_of(record.offset, record.payload.size()) && record.topic == "a/b" &&
                       record.arrival_ms == static_cast<int64_t>(record.offset * 10) && record.qos == 1 &&
                       record.retained == (record.offset % 2 == 0) && record.unsynchronised == (record.offset % 3 == 0) &&
                       record.packet_id == record.offset % 65535 + 1;
    replayed_.push_back(right ? record.offset : 0);
    records_.push_back(record);
  }
  void on_durable(Status status, Now) override { durable_ = status; }
  void on_batch(Status status, Now) override { batch_ = status; }

  Arena arena_{16 << 20};
  StepWorker worker_;
  RingJournal journal_;
  Status durable_;
  Status batch_;
  std::vector<uint64_t> replayed_;
  std::vector<JournalRecord> records_;
};

}  // namespace weir
