// What the agent answers on the control socket, and over MQTT.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "agent/app/agent.h"
#include "agent/app/version.h"
#include "agent/status/dead_letter_report.h"
#include "agent/status/ledger_report.h"

namespace weir {
namespace {

constexpr size_t incident_bytes_max = 1024;

uint64_t resident_bytes() {
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  unsigned long total = 0;
  unsigned long resident = 0;
  if (sscanf(text, "%lu %lu", &total, &resident) != 2) return 0;
  return uint64_t{resident} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ControlHandler::Answer Agent::on_command(std::string_view line, TextWriter& out, Now now) {
  constexpr std::string_view dead_letters = "dead-letters ";
  constexpr std::string_view dead_letter = "dead-letter ";
  constexpr std::string_view dead_letters_do = "dead-letters-do ";
  constexpr std::string_view checkpoint = "checkpoint ";
  constexpr std::string_view checkpoints = "checkpoints ";
  constexpr std::string_view savepoint = "savepoint ";
  if (line == "status") {
    answer_status(false, out, now);
  } else if (line == "status json") {
    answer_status(true, out, now);
  } else if (line == "ledger text" || line == "ledger json") {
    answer_ledger(line == "ledger json", out, now);
  } else if (line == "pipelines") {
    for (const auto& host : hosts_) out.append(host->name()).append('\n');
  } else if (line.starts_with(dead_letters)) {
    return answer_dead_letters(line.substr(dead_letters.size()), out);
  } else if (line.starts_with(dead_letter)) {
    return answer_dead_letter(line.substr(dead_letter.size()), out);
  } else if (line.starts_with(checkpoints)) {
    std::array<char, incident_bytes_max> text;
    TextWriter incident(text);
    flight_.tell_last_incident(line.substr(checkpoints.size()).starts_with("json"), incident);
    checkpoint_requests_->list(line.substr(checkpoints.size()), incident.text(), out);
  } else if (line.starts_with(savepoint)) {
    return savepoint_pages_->begin(line.substr(savepoint.size()), out, *store_, *storage_, now) ? Answer::Later : Answer::Now;
  } else if (line == "resume" || line.starts_with("resume ")) {
    answer_resume(line.substr(std::min<size_t>(line.size(), 7)), out, now);
  } else if (line.starts_with(dead_letters_do)) {
    const std::string_view words = line.substr(dead_letters_do.size());
    return dead_letter_requests_->begin(words, out, *store_, *storage_, now) ? Answer::Later : Answer::Now;
  } else if (line == "reload" || line.starts_with("reload ")) {
    return answer_reload(line.substr(std::min<size_t>(line.size(), 7)), out, now);
  } else if (line == "stop" || line == "stop drain") {
    return answer_stop(line != "stop", out, now);
  } else if (line.starts_with(checkpoint)) {
    return checkpoint_requests_->begin(line.substr(checkpoint.size()), out, now) ? Answer::Later : Answer::Now;
  } else {
    out.append(
        "error: unknown command; there are: status, status json, ledger text|json, pipelines, dead-letters-do QUESTION, "
        "dead-letters text|json "
        "AFTER LIMIT, dead-letter "
        "text|json ID, checkpoint(s) text|json [PIPELINE], savepoint PIPELINE CHECKPOINT CURSOR, resume [PIPELINE], reload "
        "[dry-run] [allow-non-restored-state] [json], stop "
        "[drain]\n");
  }
  return Answer::Now;
}

/// What may be asked over MQTT: less than on the socket, which belongs to this user.
void Agent::on_control(std::string_view line, TextWriter& out, Now now) {
  constexpr std::string_view checkpoint = "checkpoint";
  const bool known = line == checkpoint || (line.starts_with(checkpoint) && line[checkpoint.size()] == ' ');
  std::array<char, ControlTopic::line_max + 8> words;
  TextWriter text(words);
  text.append("text").append(known ? line.substr(checkpoint.size()) : "");
  if (known && control_topic_requests_->begin(text.text(), out, now)) return;
  if (!known) out.append("error: unknown command; there is: checkpoint [PIPELINE]\n");
  control_topic_->answer(now);
}

void Agent::answer_status(bool json, TextWriter& out, Now now) {
  for (size_t index = 0; index < hosts_.size(); ++index) hosts_[index]->fill_status(pipeline_status_[index], now);
  AgentStatus status;
  status.version = weir_version;
  status.pid = getpid();
  status.name = config_->specification.agent.name;
  status.uptime_ms = now.boot_ms - process_start_.boot_ms;
  status.now = now;
  status.ready = ready_;
  status.clock = reactor_.clock_status();
  status.memory_reserved = reserved();
  status.memory_limit = config_->specification.agent.memory_limit;
  status.memory_rss = resident_bytes();
  const SqliteMemoryUse sqlite = SqliteMemory::use();
  status.sqlite_limit = sqlite.limit;
  status.sqlite_used = sqlite.used;
  status.sqlite_peak = sqlite.peak;
  status.sqlite_refused = sqlite.refused;
  status.pipelines = pipeline_status_.first(hosts_.size());
  std::array<char, incident_bytes_max> text;
  TextWriter incident(text);
  flight_.tell_last_incident(json, incident);
  (json ? status.incident_json : status.incident) = incident.text();
  json ? render_status_json(status, out) : render_status_text(status, out);
}

void Agent::answer_ledger(bool json, TextWriter& out, Now now) {
  for (size_t index = 0; index < hosts_.size(); ++index) {
    PipelineStatus& status = pipeline_status_[index];
    hosts_[index]->fill_status(status, now);
    const LedgerEntry entry{status.name,
                            status.ledger,
                            status.sources,
                            status.checkpoint.last_id,
                            hosts_[index]->running(),
                            status.source.unacknowledged,
                            status.source.broker_dropped};
    json ? render_ledger_json(entry, out) : render_ledger_text(entry, out);
  }
}

/// `name`: empty for all that do not run.
void Agent::answer_resume(std::string_view name, TextWriter& out, Now now) {
  bool known = false;
  bool any = false;
  for (auto& host : hosts_) {
    if (!name.empty() && host->name() != name) continue;
    known = true;
    if (stopping_ || !host->resume(now)) continue;
    any = true;
    out.append(host->name()).append(": is started again\n");
  }
  all_failed_told_ = all_failed_told_ && !any;
  if (!known) out.append("error: there is no pipeline \"").append(name).append("\"\n");
  if (known && !any) out.append(name.empty() ? "no pipeline waits or has failed\n" : "it does not wait and has not failed\n");
}

ControlHandler::Answer Agent::answer_reload(std::string_view words, TextWriter& out, Now now) {
  ReloadRequest request;
  if (!parse_reload_request(words, request)) {
    out.append("error: reload [dry-run] [allow-non-restored-state] [json]\n");
    return Answer::Now;
  }
  return reload_->ask(request, out, now) ? Answer::Later : Answer::Now;
}

/// The caller waits for this process to end.
ControlHandler::Answer Agent::answer_stop(bool drain, TextWriter& out, Now now) {
  if (stopping_ && drain) {
    out.append("error: it is stopping already, without draining\n");
    return Answer::Now;
  }
  begin_stop(now, drain);
  out.append("stopping ").append_int(getpid()).append('\n');
  return Answer::Now;
}

/// `words`: "text|json AFTER LIMIT".
ControlHandler::Answer Agent::answer_dead_letters(std::string_view words, TextWriter& out) {
  list_job_.json = words.starts_with("json ");
  words.remove_prefix(std::min(words.size(), words.find(' ') + 1));
  auto after = std::from_chars(words.data(), words.data() + words.size(), list_job_.after);
  const char* rest = after.ptr + (after.ptr < words.data() + words.size() ? 1 : 0);
  auto limit = std::from_chars(rest, words.data() + words.size(), list_job_.limit);
  if (after.ec != std::errc{} || limit.ec != std::errc{} || list_job_.limit < 1 || list_job_.limit > 10000) {
    out.append("error: dead-letters text|json AFTER LIMIT\n");
    return Answer::Now;
  }
  list_job_.one = false;
  return begin_list(out);
}

/// `words`: "text|json ID".
ControlHandler::Answer Agent::answer_dead_letter(std::string_view words, TextWriter& out) {
  list_job_.json = words.starts_with("json ");
  words.remove_prefix(std::min(words.size(), words.find(' ') + 1));
  const auto id = std::from_chars(words.data(), words.data() + words.size(), list_job_.after);
  if (id.ec != std::errc{} || list_job_.after < 1) {
    out.append("error: dead-letter text|json ID\n");
    return Answer::Now;
  }
  list_job_.one = true;
  return begin_list(out);
}

ControlHandler::Answer Agent::begin_list(TextWriter& out) {
  list_job_.out = &out;
  job_in_flight_ = true;
  storage_->submit(list_job_);
  return Answer::Later;
}

void Agent::ListJob::run(CheckpointStore& store) {
  const Status status = one ? show_dead_letter(store, after, json, *out)
                            : list_dead_letters(store, after, static_cast<size_t>(limit), json, *out);
  if (status.ok()) return;
  out->clear();
  out->append("error: ").append(status.text()).append('\n');
}

void Agent::ListJob::done(Now now) {
  agent.job_in_flight_ = false;
  agent.control_.answer(now);
}

}  // namespace weir
