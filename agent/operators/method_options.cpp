#include "agent/operators/method_options.h"

#include <cmath>

namespace weir {
namespace {

std::string method_of(const StepBuild& build) { return "method = \"" + build.options().text("method").value + "\""; }

}  // namespace

void refuse_unless(StepBuild& build, std::string_view key, bool belongs) {
  if (build.options().given(key) && !belongs)
    build.error(key, "\"" + std::string(key) + "\" says nothing with " + method_of(build));
}

void require_option(StepBuild& build, std::string_view key, const char* example) {
  if (!build.options().given(key))
    build.error("method", method_of(build) + " needs \"" + std::string(key) + "\"", std::string("for example: ") + example);
}

bool is_whole_number(double number) {
  constexpr double exact_max = 9007199254740992.0;
  return number == std::floor(number) && std::fabs(number) <= exact_max;
}

}  // namespace weir
