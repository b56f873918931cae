// run_weir: the whole program. An engineer's own agent registers its operators (model/step_kind.h) and then calls this.
#pragma once

namespace weir {

/// What main() gets and returns: finds the command and runs it. Exit codes as `weir --help` says.
int run_weir(int count, char** arguments);

}  // namespace weir
