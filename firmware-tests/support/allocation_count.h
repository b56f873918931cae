// Counts every operator new while it lives, whatever the build: through CppUTest's own operator new, which is in every test
// program. What was allocated before must not be freed meanwhile.
#pragma once

#include <cstddef>

namespace weir::test {

class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  size_t count() const;
};

}  // namespace weir::test
