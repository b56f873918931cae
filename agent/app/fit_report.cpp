#include "agent/app/fit_report.h"

#include <cstdio>

#include "agent/base/json_string.h"

namespace weir {

void print_fit(const std::string& pipeline, Status status, const RestoreReport& report, bool json) {
  const bool refused = !status.ok() && status.code() != Code::NotFound;
  // What refuses it beside the list of parts.
  const std::string error = !refused || any_refused(report.parts) ? "" : report.error.empty() ? status.text() : report.error;
  if (json) {
    printf("{\"pipeline\":%s,\"error\":%s,\"refused\":%s,\"parts\":%s}\n", json_string(pipeline).c_str(),
           json_string(error).c_str(), refused ? "true" : "false", decisions_json(report.parts).c_str());
    return;
  }
  if (report.parts.empty() && !refused) {
    printf("pipeline %s: no checkpoint, starts fresh\n", pipeline.c_str());
    return;
  }
  printf("pipeline %s: %s\n%s", pipeline.c_str(), refused ? "a start would be refused" : "its state goes back",
         report.parts.empty() ? "" : decisions_table(report.parts).c_str());
  if (!error.empty()) printf("  %s\n", error.c_str());
  fputs(refusal_text(report.parts).c_str(), stdout);
}

}  // namespace weir
