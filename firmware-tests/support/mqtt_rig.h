// What the MQTT tests share: a poll loop that implements Poller, a pipeline that does as it is told, and a store that keeps
// a source's blobs as the real one does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/mqtt/mqtt_publisher.h"
#include "connectors/mqtt/mqtt_source.h"

namespace weir {

/// Real descriptors, real time plus what the test has let pass.
class TestReactor final : public Poller {
 public:
  Status watch(int fd, uint32_t events, PollHandler& handler) override;
  void rearm(int fd, uint32_t events, PollHandler& handler) override;
  void forget(int fd) override;

  Now now() const;
  void let_pass(int64_t ms) { passed_ms_ += ms; }
  /// Handles what is ready, waiting up to `ms` for something.
  void turn(int ms);
  /// Turns until `done`; false if that takes longer than `ms`.
  bool run_until(const std::function<bool()>& done, int ms = 5000);
  /// Turns until `ms` have passed.
  void run_for(int ms);
  uint64_t turns() const { return turns_; }

 private:
  struct Watch {
    uint32_t events = 0;
    PollHandler* handler = nullptr;
  };
  std::map<int, Watch> watches_;
  int64_t passed_ms_ = 0;
  uint64_t turns_ = 0;
};

struct Delivered {
  std::string topic;
  std::string payload;
  uint64_t offset = 0;
  bool retained = false;
  std::string reason;  // of a refusal
  std::string detail;
};

class TestPipeline final : public SourceHandler {
 public:
  bool ready() const override { return is_ready && delivered.size() < limit; }
  void on_message(const Message& message, Now now) override;
  bool may_shed() const override { return is_ready; }
  void on_shed(Now) override { ++shed; }
  void on_duplicate(Now) override { ++duplicates; }
  void on_refused(const Message& message, const char* reason, std::string_view detail, Now now) override;
  void on_session_lost(bool expected, Now) override { sessions_lost.push_back(expected); }

  std::vector<std::string> payloads() const;

  bool is_ready = true;
  size_t limit = SIZE_MAX;  // not ready from this many messages on
  std::vector<Delivered> delivered;
  std::vector<Delivered> refused;
  std::vector<bool> sessions_lost;  // the `expected` of each
  size_t duplicates = 0;
  size_t shed = 0;
  std::function<void()> when_message;
};

/// Takes checkpoints of one part and keeps its blobs.
class TestCheckpoints {
 public:
  void barrier(Stateful& part);
  void commit(Stateful& part);
  void fail(Stateful& part);
  void checkpoint(Stateful& part) {
    barrier(part);
    commit(part);
  }
  /// What a start does with what is stored.
  Status restore(Stateful& part);
  size_t blobs(BlobKind kind) const;
  size_t bytes(BlobKind kind) const;

 private:
  struct Stored {
    BlobKind kind;
    uint32_t index;
    uint64_t checkpoint_id;
    std::vector<uint8_t> bytes;
  };
  uint64_t next_id_ = 1;
  std::vector<Stored> stored_;
  std::vector<uint8_t> buffer_;
  std::vector<Blob> blob_rows_;
  std::vector<Trim> trim_rows_;
  Snapshot snapshot_;
};

}  // namespace weir
