// An agent that can do all that weir can, and `operator = "keyed-average"`.
#include "agent/app/run_weir.h"
#include "keyed_average.h"

int main(int count, char** arguments) {
  weir::register_step_kind(keyed_average);
  return weir::run_weir(count, arguments);
}
