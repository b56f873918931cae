// An agent of its own for tests, with a step that cannot stand two values: at -666 it crashes, at -667 it never comes back.
#include <cstdlib>

#include "agent/api/function.h"
#include "agent/app/run_weir.h"

namespace {

class FaultyStep final : public weir::FilterFunction {
 public:
  explicit FaultyStep(weir::FunctionBuild& build) : value_(build.input<double>("value")) {}

  bool filter(const weir::Record& record) override {
    const double value = value_.of(record).value_or(0);
    volatile int* volatile nowhere = nullptr;
    if (value == -666) *nowhere = 1;
    for (volatile bool stuck = value == -667; stuck;) {
    }
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
