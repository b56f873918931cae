// The names of all crash points, in the order in which a message and its results come by them. A test compares the list with
// what the sources name. See agent/base/crash_point.h.
#pragma once

#include <string_view>

namespace weir::test {

enum class CrashPointNeeds : unsigned char { Nothing, Journal, Reload };

struct CrashPoint {
  std::string_view name;
  CrashPointNeeds needs = CrashPointNeeds::Nothing;
};

constexpr CrashPoint crash_points[] = {
    // Input that is acknowledged by a journal.
    {"journal.write", CrashPointNeeds::Journal},
    {"journal.sync", CrashPointNeeds::Journal},
    {"journal.durable", CrashPointNeeds::Journal},
    // The checkpoint: on the reactor, on the storage thread, on the reactor again.
    {"checkpoint.barrier"},
    {"checkpoint.copied"},
    {"checkpoint.begin"},
    {"checkpoint.blobs"},
    {"checkpoint.row"},
    {"checkpoint.commit"},
    {"checkpoint.committed"},
    {"checkpoint.noted"},
    {"checkpoint.announce"},
    {"checkpoint.announced"},
    {"wal.move"},
    {"wal.moved"},
    // The acknowledgement.
    {"acknowledge.send"},
    {"acknowledge.sent"},
    // A result: it is written with its checkpoint, leaves, is confirmed by the broker and deleted by a later checkpoint.
    {"outbox.write"},
    {"outbox.written"},
    {"outbox.send"},
    {"outbox.sent"},
    {"outbox.confirm"},
    {"outbox.confirmed"},
    {"outbox.delete"},
    {"outbox.deleted"},
    // A reload, see agent/app/reload.h.
    {"reload.built", CrashPointNeeds::Reload},
    {"reload.tried", CrashPointNeeds::Reload},
    {"reload.stop", CrashPointNeeds::Reload},
    {"reload.stopped", CrashPointNeeds::Reload},
    {"reload.entered", CrashPointNeeds::Reload},
    {"reload.swapped", CrashPointNeeds::Reload},
    {"reload.noted", CrashPointNeeds::Reload},
};

}  // namespace weir::test
