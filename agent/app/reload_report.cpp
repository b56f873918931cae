#include "agent/app/reload_report.h"

#include <algorithm>
#include <array>

#include "agent/base/json_string.h"

namespace weir {
namespace {

std::string entry_text(const ReloadReport::Entry& entry) {
  const std::string name = "pipeline " + entry.name + ": ";
  switch (entry.change) {
    case PipelineChange::Unchanged:
      return name + "unchanged\n";
    case PipelineChange::Removed:
      return name + "removed; its state stays, see weir state list, and the broker keeps its session until that expires\n";
    case PipelineChange::Changed:
    case PipelineChange::Added:
      return name + pipeline_change_name(entry.change) +
             (entry.parts.empty() ? ", nothing is stored, it begins empty\n"
                                  : ", its state goes back\n" + decisions_table(entry.parts));
  }
  return {};
}

}  // namespace

std::string reload_summary(const ReloadReport& report) {
  std::array<size_t, 4> counts{};
  for (const ReloadReport::Entry& entry : report.pipelines) ++counts[static_cast<size_t>(entry.change)];
  std::string text;
  for (const PipelineChange change :
       {PipelineChange::Changed, PipelineChange::Added, PipelineChange::Removed, PipelineChange::Unchanged})
    text +=
        (text.empty() ? "" : ", ") + std::to_string(counts[static_cast<size_t>(change)]) + " " + pipeline_change_name(change);
  return text;
}

std::string reload_text(const ReloadReport& report) {
  if (!report.error.empty()) return "refused: nothing was changed, the agent runs on as it did\n" + report.error;
  std::string text =
      report.dry_run ? "a reload would change this: " : "reloaded in " + std::to_string(report.duration_ms) + " ms: ";
  text += reload_summary(report) + "\n";
  for (const ReloadReport::Entry& entry : report.pipelines) text += entry_text(entry);
  return text;
}

std::string reload_json(const ReloadReport& report) {
  std::string text = "{\"dry_run\":";
  text += report.dry_run ? "true" : "false";
  text += ",\"error\":" + (report.error.empty() ? "null" : json_string(report.error));
  text += ",\"generation\":" + std::to_string(report.generation);
  text += ",\"duration_ms\":" + std::to_string(report.duration_ms) + ",\"pipelines\":[";
  bool first = true;
  for (const ReloadReport::Entry& entry : report.pipelines) {
    text += first ? "" : ",";
    first = false;
    text += "{\"pipeline\":" + json_string(entry.name) + ",\"change\":\"" + pipeline_change_name(entry.change) +
            "\",\"parts\":" + decisions_json(entry.parts) + "}";
  }
  return text + "]}\n";
}

}  // namespace weir
