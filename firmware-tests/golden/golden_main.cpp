// weir-golden prints the golden text of the expressions; see expression_golden.h.
#include <cstdio>

#include "firmware-tests/support/expression_golden.h"

int main() {
  fputs(weir::test::expression_golden_text().c_str(), stdout);
  return 0;
}
