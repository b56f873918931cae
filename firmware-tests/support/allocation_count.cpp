#include "firmware-tests/support/allocation_count.h"

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>
#include <CppUTest/TestMemoryAllocator.h>

namespace weir::test {
namespace {

class CountingAllocator final : public TestMemoryAllocator {
 public:
  CountingAllocator() : TestMemoryAllocator("counting", "new", "delete") {}
  char* alloc_memory(size_t size, const char* file, size_t line) override {
    ++count;
    return TestMemoryAllocator::alloc_memory(size, file, line);
  }
  size_t count = 0;
};

CountingAllocator& counting() {
  static CountingAllocator allocator;
  return allocator;
}

}  // namespace

AllocationCount::AllocationCount() {
  counting().count = 0;
  setCurrentNewAllocator(&counting());
  setCurrentNewArrayAllocator(&counting());
  MemoryLeakWarningPlugin::turnOnDefaultNotThreadSafeNewDeleteOverloads();
}

AllocationCount::~AllocationCount() {
  MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
  setCurrentNewAllocatorToDefault();
  setCurrentNewArrayAllocatorToDefault();
}

size_t AllocationCount::count() const { return counting().count; }

}  // namespace weir::test
