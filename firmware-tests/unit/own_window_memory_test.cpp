#include "agent/operators/count_window.h"
#include "agent/operators/session_window.h"
#include "agent/operators/sliding_window.h"
#include "agent/operators/state_window.h"
#include "firmware-tests/support/allocation_count.h"
#include "firmware-tests/unit/own_window_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(OwnWindowMemory) {
  OwnWindowSetup setup;

  /// Merging, late, refused and expiring records of three keys, where there is room for two.
  size_t allocations_of(const MakeOwnWindow& make) {
    setup.max_keys = 2;
    setup.evict = Evict::Emit;
    OwnWindowRig rig(setup, make);
    rig.sink.keep = false;
    const std::string devices[] = {"a", "b", "c"};
    AllocationCount counted;
    for (int64_t number = 0; number < 300; ++number) {
      rig.send(devices[number % 3], number * 3 - (number % 5) * 7, Value::of_int(number), Value::of_bool(number % 4 != 0));
      rig.advance(number * 3 - 20);
    }
    rig.finish();
    return counted.count();
  }
};

TEST(OwnWindowMemory, no_kind_of_window_allocates_after_it_was_made) {
  auto session = [](OwnWindowParts parts, Arena& arena) {
    const SessionWindows windows{.gap_ms = 5, .allowed_lateness_ms = 5, .max_sessions = 2, .evict = Evict::Emit};
    return make_session_windows(windows, "w", std::move(parts), arena, "p.w");
  };
  auto count = [](OwnWindowParts parts, Arena& arena) {
    return make_count_windows({6, 4, true}, std::move(parts), arena, "p.w");
  };
  auto sliding = [](OwnWindowParts parts, Arena& arena) {
    return make_sliding_windows({30, 4}, std::move(parts), arena, "p.w");
  };
  auto state = [](OwnWindowParts parts, Arena& arena) {
    StateWindows windows;
    windows.open = compiled("on", own_window_input(), Type::Bool);
    windows.close = compiled("not on", own_window_input(), Type::Bool);
    windows.max_duration_ms = 50;
    return make_state_windows(std::move(windows), std::move(parts), arena, "p.w");
  };
  UNSIGNED_LONGS_EQUAL(0, allocations_of(session));
  UNSIGNED_LONGS_EQUAL(0, allocations_of(count));
  UNSIGNED_LONGS_EQUAL(0, allocations_of(sliding));
  UNSIGNED_LONGS_EQUAL(0, allocations_of(state));
}
