#include "firmware-tests/support/mqtt_rig.h"

#include <poll.h>

#include <algorithm>

namespace weir {

Status TestReactor::watch(int fd, uint32_t events, PollHandler& handler) {
  WEIR_ASSERT(watches_.count(fd) == 0);
  watches_[fd] = {events, &handler};
  return {};
}

void TestReactor::rearm(int fd, uint32_t events, PollHandler& handler) {
  WEIR_ASSERT(watches_.count(fd) == 1);
  watches_[fd] = {events, &handler};
}

void TestReactor::forget(int fd) {
  WEIR_ASSERT(watches_.count(fd) == 1);
  watches_.erase(fd);
}

Now TestReactor::now() const {
  Now now = SystemClock().now();
  now.boot_ms += passed_ms_;
  return now;
}

void TestReactor::turn(int ms) {
  std::vector<pollfd> fds;
  for (const auto& [fd, watch] : watches_) fds.push_back({fd, static_cast<short>(watch.events), 0});
  ++turns_;
  if (poll(fds.data(), fds.size(), ms) <= 0) return;
  for (const pollfd& ready : fds) {
    WEIR_ASSERT((ready.revents & POLLNVAL) == 0);
    auto found = watches_.find(ready.fd);
    if (ready.revents != 0 && found != watches_.end())
      found->second.handler->on_ready(static_cast<uint32_t>(ready.revents), now());
  }
}

bool TestReactor::run_until(const std::function<bool()>& done, int ms) {
  int64_t end = SystemClock().now().boot_ms + ms;
  while (!done()) {
    if (SystemClock().now().boot_ms >= end) return false;
    turn(5);
  }
  return true;
}

void TestReactor::run_for(int ms) {
  run_until([] { return false; }, ms);
}

void TestPipeline::on_message(const Message& message, Now) {
  delivered.push_back(
      {std::string(message.topic), std::string(as_text(message.payload)), message.offset, message.retained, "", ""});
  if (when_message) when_message();
}

void TestPipeline::on_refused(const Message& message, const char* reason, std::string_view detail, Now) {
  refused.push_back({std::string(message.topic), std::string(as_text(message.payload)), message.offset, message.retained,
                     reason, std::string(detail)});
}

std::vector<std::string> TestPipeline::payloads() const {
  std::vector<std::string> payloads;
  for (const Delivered& each : delivered) payloads.push_back(each.payload);
  return payloads;
}

void TestCheckpoints::barrier(Stateful& part) {
  // Exactly what the part says that it needs at most, so that a bound which is too small shows.
  SnapshotBounds bounds = part.snapshot_bounds();
  buffer_.resize(bounds.bytes);
  blob_rows_.resize(bounds.blobs);
  trim_rows_.resize(bounds.trims);
  snapshot_ = Snapshot(buffer_, blob_rows_, trim_rows_);
  snapshot_.begin(next_id_++);
  part.snapshot(snapshot_);
}

void TestCheckpoints::commit(Stateful& part) {
  uint64_t id = snapshot_.checkpoint_id();
  std::erase_if(stored_, [this](const Stored& stored) {
    return stored.kind == BlobKind::Operator ||
           std::any_of(snapshot_.trims().begin(), snapshot_.trims().end(), [&](const Trim& trim) {
             return trim.kind == stored.kind && stored.checkpoint_id <= trim.up_to_checkpoint;
           });
  });
  for (const Blob& blob : snapshot_.blobs())
    stored_.push_back({blob.kind, blob.index, id, std::vector<uint8_t>(blob.bytes.begin(), blob.bytes.end())});
  part.snapshot_done(id, true);
}

void TestCheckpoints::fail(Stateful& part) { part.snapshot_done(snapshot_.checkpoint_id(), false); }

Status TestCheckpoints::restore(Stateful& part) {
  for (BlobKind kind : {BlobKind::Operator, BlobKind::SessionTail})
    for (const Stored& stored : stored_)
      if (stored.kind == kind) WEIR_TRY(part.restore({stored.kind, stored.index, stored.checkpoint_id, stored.bytes}));
  return part.restore_finished();
}

size_t TestCheckpoints::blobs(BlobKind kind) const {
  return static_cast<size_t>(
      std::count_if(stored_.begin(), stored_.end(), [kind](const Stored& each) { return each.kind == kind; }));
}

size_t TestCheckpoints::bytes(BlobKind kind) const {
  size_t bytes = 0;
  for (const Stored& stored : stored_)
    if (stored.kind == kind) bytes += stored.bytes.size();
  return bytes;
}

}  // namespace weir
