// weir, the program.
#include "agent/app/run_weir.h"

int main(int count, char** arguments) { return weir::run_weir(count, arguments); }
