// An agent of its own for tests, with a step that cannot stand three values: at -666 it crashes, at -667 it never comes back,
// and at -668 it takes 5 ms.
#include <cstdlib>
#include <ctime>

#include "agent/api/function.h"
#include "agent/app/run_weir.h"

namespace {

/// Of the processor's time.
void compute_for_ns(long ns) {
  timespec start{};
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((now.tv_sec - start.tv_sec) * 1'000'000'000L + (now.tv_nsec - start.tv_nsec) < ns);
}

class FaultyStep final : public weir::FilterFunction {
 public:
  explicit FaultyStep(weir::FunctionBuild& build) : value_(build.input<double>("value")) {}

  // The signal is wanted, not a sanitizer's report in its place.
  [[gnu::no_sanitize("undefined")]] bool filter(const weir::Record& record) override {
    const double value = value_.of(record).value_or(0);
    volatile int* volatile nowhere = nullptr;
    if (value == -666) *nowhere = 1;
    for (volatile bool stuck = value == -667; stuck;) {
    }
    if (value == -668) compute_for_ns(5'000'000);
    return true;
  }

 private:
  weir::InputField<double> value_;
};

const weir::StepKind faulty_step = weir::step_kind<FaultyStep>("faulty", "Crashes or hangs at a given value.");

}  // namespace

int main(int count, char** arguments) {
  weir::register_step_kind(faulty_step);
  return weir::run_weir(count, arguments);
}
