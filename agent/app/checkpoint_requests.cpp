#include "agent/app/checkpoint_requests.h"

#include "agent/status/checkpoint_report.h"

namespace weir {
namespace {

/// Less than a caller has patience for.
constexpr int64_t patience_ms = 8'000;

/// The second of two words; empty: all pipelines.
std::string_view pipeline_in(std::string_view words) {
  return words.find(' ') == std::string_view::npos ? "" : words.substr(words.find(' ') + 1);
}

void deny(std::string_view pipeline, TextWriter& out) {
  out.append("error: there is no pipeline \"").append(pipeline).append("\"\n");
}

}  // namespace

CheckpointRequests::CheckpointRequests(const std::vector<std::unique_ptr<PipelineHost>>& hosts)
    : hosts_(hosts), waits_(hosts.size()) {}

bool CheckpointRequests::begin(std::string_view words, TextWriter& out, Now now) {
  json_ = words.starts_with("json");
  const std::string_view name = pipeline_in(words);
  bool found = false;
  for (size_t index = 0; index < hosts_.size(); ++index) {
    waits_[index] = {};
    if (!name.empty() && hosts_[index]->name() != name) continue;
    found = true;
    Pipeline* pipeline = hosts_[index]->pipeline();
    waits_[index].asked = true;
    if (pipeline == nullptr) continue;
    const CheckpointStatus status = pipeline->checkpoint_status(now);
    // One that is under way does not count: it began before the question.
    waits_[index] = {true, pipeline->request_checkpoint(), status.failed + (status.in_progress ? 1 : 0)};
  }
  if (!found) {
    deny(name, out);
    return false;
  }
  out_ = &out;
  deadline_boot_ms_ = now.boot_ms + patience_ms;
  return true;
}

void CheckpointRequests::list(std::string_view words, std::string_view incident, TextWriter& out) const {
  const bool json = words.starts_with("json");
  const std::string_view name = pipeline_in(words);
  bool found = false, first = true;
  begin_checkpoint_report(json, out);
  for (const auto& host : hosts_) {
    if (!name.empty() && host->name() != name) continue;
    found = true;
    const Pipeline* pipeline = host->pipeline();
    if (pipeline == nullptr) continue;
    const CheckpointHistory& history = pipeline->checkpoint_history();
    for (size_t age = 0; age < history.size() && out.room() > checkpoint_report_bytes_max / CheckpointHistory::entries_max;
         ++age) {
      report_checkpoint(pipeline->name(), history[age], json, first, out);
      first = false;
    }
  }
  end_checkpoint_report(json, incident, out);
  if (found) return;
  out.clear();
  deny(name, out);
}

CheckpointRequests::Outcome CheckpointRequests::outcome_of(size_t index, Now now) const {
  const Wait& wait = waits_[index];
  if (!wait.asked) return Outcome::Done;
  const Pipeline* pipeline = hosts_[index]->pipeline();
  if (pipeline == nullptr || wait.wanted_id == 0) return Outcome::Failed;
  const CheckpointStatus status = pipeline->checkpoint_status(now);
  if (status.completed > 0 && status.last_id >= wait.wanted_id) return Outcome::Done;
  const bool over = status.failed > wait.failed_before || pipeline->stopped() || !hosts_[index]->running() ||
                    now.boot_ms >= deadline_boot_ms_;
  return over ? Outcome::Failed : Outcome::Open;
}

bool CheckpointRequests::poll(Now now) {
  if (out_ == nullptr) return false;
  for (size_t index = 0; index < waits_.size(); ++index)
    if (outcome_of(index, now) == Outcome::Open) return false;
  if (json_) out_->append("{\"checkpoints\":[");
  bool first = true;
  for (size_t index = 0; index < waits_.size(); ++index) {
    if (!waits_[index].asked) continue;
    say(index, now, first);
    first = false;
  }
  if (json_) out_->append("]}\n");
  out_ = nullptr;
  return true;
}

void CheckpointRequests::say(size_t index, Now now, bool first) {
  const PipelineHost& host = *hosts_[index];
  const CheckpointStatus status = host.pipeline() == nullptr ? CheckpointStatus() : host.pipeline()->checkpoint_status(now);
  const bool done = outcome_of(index, now) == Outcome::Done;
  const char* error = status.error[0] != '\0' ? status.error
                      : !host.running()       ? "the pipeline does not run"
                                              : "it is still under way";
  if (json_) {
    out_->append(first ? "{\"pipeline\":" : ",{\"pipeline\":").append_json_string(host.name());
    if (done)
      out_->append(",\"id\":").append_uint(status.last_id).append(",\"duration_ms\":").append_int(status.last_duration_ms);
    else
      out_->append(",\"error\":").append_json_string(error);
    out_->append('}');
    return;
  }
  out_->append(done ? "" : "error: ").append(host.name()).append(": ");
  if (done)
    out_->append("checkpoint ").append_uint(status.last_id).append(", ").append_int(status.last_duration_ms).append(" ms\n");
  else
    out_->append("no checkpoint: ").append(error).append('\n');
}

}  // namespace weir
