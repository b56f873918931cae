#include "agent/app/black_box_report.h"

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstring>

#include "agent/status/json_object.h"
#include "agent/status/utc_text.h"

namespace weir {
namespace {

constexpr size_t report_bytes_max = 512 * 1024;
constexpr size_t frames_told = 6;

const char* signal_name(int32_t signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    default:
      return "a signal";
  }
}

void tell_cause(const Incident& incident, const FlightRun& run, TextWriter& out) {
  switch (incident.cause) {
    case DeathCause::Signal:
      out.append("it died of ").append(signal_name(incident.signal));
      break;
    case DeathCause::Watchdog:
      out.append("the watchdog ended it: ").append(text_in(run.stuck));
      break;
    case DeathCause::OutOfMemory:
      out.append("it was killed without a word while the kernel killed for want of memory");
      break;
    case DeathCause::Machine:
      out.append("the machine went down with it: a reboot, or the power");
      break;
    case DeathCause::Failure:
      out.append("it gave up after a failure that it has logged");
      break;
    case DeathCause::None:
    case DeathCause::Unknown:
      out.append("it was killed without a word: SIGKILL, or out of memory");
      break;
  }
}

void tell_duration(const char* name, int64_t duration_ms, TextWriter& out) {
  if (duration_ms < 0)
    out.append(name).append(" unknown");
  else
    out.append(name).append(' ').append_int(duration_ms).append(" ms");
}

void tell_frames(const FlightRun& run, size_t frames_max, TextWriter& out) {
  const size_t count = std::min({size_t{run.crash.frame_count}, CrashRecord::frames_max, frames_max});
  for (size_t index = 0; index < count; ++index) {
    if (index > 0) out.append(' ');
    append_code_place(run, run.crash.frames[index], out);
  }
}

void tell_run(const char* title, const FlightRun& run, TextWriter& out) {
  if (run.pid == 0) return;
  out.append(title).append(": pid ").append_uint(run.pid).append(", weir ").append(text_in(run.version)).append(", from ");
  append_utc(out, run.start_wall_ms);
  out.printf(", last sign of life after %.1f s", static_cast<double>(run.alive_boot_ms - run.start_boot_ms) / 1000);
  if (run.end == RunEnd::Orderly) out.append(", stopped in order");
  if (run.end == RunEnd::Failed) out.append(", stopped after a failure");
  out.append('\n');
  if (run.stuck[0] != '\0') out.append("  stuck: ").append(text_in(run.stuck)).append('\n');
  if (run.crash.signal == 0) return;
  out.printf("  %s, code %d, address 0x%" PRIx64 ", thread %u\n  stack: ", signal_name(run.crash.signal), run.crash.code,
             run.crash.address, run.crash.thread);
  tell_frames(run, CrashRecord::frames_max, out);
  out.append('\n');
}

void tell_trace(const PipelineTrace& trace, TextWriter& out) {
  out.append("pipeline ").append(text_in(trace.name)).append(": offset ").append_uint(trace.newest_offset);
  out.append(", checkpoint ").append_uint(trace.checkpoint_id);
  if (trace.in_hand.sound()) {
    out.append(", in hand: message ").append_uint(trace.in_hand.offset).append(" (").append_hex(trace.in_hand.hash);
    out.append(") in ").append(step_name(trace, trace.in_hand.step));
  }
  if (trace.suspect.deaths > 0) {
    out.append(", suspected: message ").append_uint(trace.suspect.offset).append(" (").append_hex(trace.suspect.hash);
    out.append("), ").append_uint(trace.suspect.deaths).append(trace.suspect.deaths == 1 ? " death" : " deaths");
  }
  out.append('\n');
}

void tell_record(const FlightRecord& record, TextWriter& out) {
  append_utc(out, record.wall_ms);
  out.printf("  %-26s", flight_event_name(record.event));
  if (record.pipeline[0] != '\0') out.append(text_in(record.pipeline)).append("  ");
  out.append_uint(record.first);
  if (record.second != 0) out.append(' ').append_uint(record.second);
  if (record.text[0] != '\0') out.append("  ").append(text_in(record.text));
  out.append('\n');
}

void run_json(const FlightRun& run, TextWriter& out) {
  if (run.pid == 0) {
    out.append("null");
    return;
  }
  constexpr const char* ends[] = {"unknown", "orderly", "failed"};
  JsonObject object(out);
  object.number("pid", run.pid);
  object.text("version", text_in(run.version));
  object.text("boot_id", text_in(run.boot_id));
  object.signed_number("start_wall_ms", run.start_wall_ms);
  object.signed_number("start_boot_ms", run.start_boot_ms);
  object.signed_number("alive_boot_ms", run.alive_boot_ms);
  object.text("end", ends[std::min<uint32_t>(static_cast<uint32_t>(run.end), 2) % 3]);
  object.text("stuck", text_in(run.stuck));
  object.signed_number("signal", run.crash.signal);
  object.number("address", run.crash.address);
  object.key("stack").append('[');
  const size_t count = std::min(size_t{run.crash.frame_count}, CrashRecord::frames_max);
  for (size_t index = 0; index < count; ++index) {
    out.append(index > 0 ? ",\"" : "\"");
    append_code_place(run, run.crash.frames[index], out);
    out.append('"');
  }
  out.append(']');
}

void trace_json(const PipelineTrace& trace, TextWriter& out) {
  JsonObject object(out);
  object.text("name", text_in(trace.name));
  object.number("newest_offset", trace.newest_offset);
  object.number("checkpoint_id", trace.checkpoint_id);
  object.flag("in_hand", trace.in_hand.sound());
  object.number("in_hand_offset", trace.in_hand.offset);
  object.text("in_hand_step", step_name(trace, trace.in_hand.step));
  object.number("suspect_offset", trace.suspect.offset);
  object.number("suspect_deaths", trace.suspect.deaths);
  object.number("poison_in_hour", trace.poison_in_hour);
}

void record_json(const FlightRecord& record, TextWriter& out) {
  JsonObject object(out);
  object.number("number", record.number);
  object.text("event", flight_event_name(record.event));
  object.signed_number("boot_ms", record.boot_ms);
  object.signed_number("wall_ms", record.wall_ms);
  object.text("pipeline", text_in(record.pipeline));
  object.number("first", record.first);
  object.number("second", record.second);
  object.text("text", text_in(record.text));
}

}  // namespace

void append_code_place(const FlightRun& run, uint64_t address, TextWriter& out) {
  const size_t count = std::min(size_t{run.module_count}, FlightRun::modules_max);
  for (const CodeModule& module : std::span(run.modules).first(count)) {
    if (address < module.begin || address >= module.end) continue;
    out.append(text_in(module.name)).printf("+0x%" PRIx64, address - module.begin);
    return;
  }
  out.printf("0x%" PRIx64, address);
}

void tell_incident(const Incident& incident, const FlightRun& run, TextWriter& out) {
  out.append("the last run (pid ").append_uint(incident.pid).append(") ended without being stopped, about ");
  append_utc(out, incident.wall_ms);
  out.append(": ");
  tell_cause(incident, run, out);
  if (run.crash.signal != 0 && run.crash.frame_count > 0) {
    out.append(", at ");
    tell_frames(run, frames_told, out);
  }
  if (incident.pipeline[0] != '\0') {
    out.append("; in hand: message ").append_uint(incident.offset).append(" of ").append(text_in(incident.pipeline));
    out.append(", in \"").append(text_in(incident.step_name)).append('"');
    if (incident.deaths > 1) out.append(", for the ").append_uint(incident.deaths).append(". time in a row");
  }
  out.append(". ");
  tell_duration("T_detect", incident.detect_ms, out);
  tell_duration(", T_down", incident.down_ms, out);
  tell_duration(", T_restore", incident.restore_ms, out);
  if (incident.replay_ms >= 0) tell_duration(", T_replay", incident.replay_ms, out);
  if (incident.recovery_ms() >= 0) tell_duration(", T_recovery", incident.recovery_ms(), out);
  if (incident.fault_tolerance_ms() >= 0) tell_duration(", T_fault_tolerance", incident.fault_tolerance_ms(), out);
}

void tell_incident_json(const Incident& incident, TextWriter& out) {
  if (incident.cause == DeathCause::None) {
    out.append("null");
    return;
  }
  JsonObject object(out);
  object.text("cause", death_cause_name(incident.cause));
  object.signed_number("signal", incident.signal);
  object.signed_number("wall_ms", incident.wall_ms);
  object.number("pid", incident.pid);
  object.text("pipeline", text_in(incident.pipeline));
  object.text("step", text_in(incident.step_name));
  object.number("offset", incident.offset);
  object.number("deaths", incident.deaths);
  object.signed_number("detect_ms", incident.detect_ms);
  object.signed_number("down_ms", incident.down_ms);
  object.signed_number("restore_ms", incident.restore_ms);
  object.signed_number("replay_ms", incident.replay_ms);
  object.signed_number("recovery_ms", incident.recovery_ms());
  object.signed_number("uncovered_ms", incident.uncovered_ms);
  object.signed_number("fault_tolerance_ms", incident.fault_tolerance_ms());
}

std::string black_box_text(const BlackBox& box) {
  std::string buffer(report_bytes_max, '\0');
  TextWriter out(buffer);
  tell_run("this run", box.run(), out);
  tell_run("the run before", box.previous_run(), out);
  if (box.incident().cause != DeathCause::None) {
    out.append("last incident: ");
    tell_incident(box.incident(), box.previous_run(), out);
    out.append('\n');
  }
  for (const PipelineTrace& trace : box.traces())
    if (trace.name[0] != '\0') tell_trace(trace, out);
  box.each_record([&](const FlightRecord& record) { tell_record(record, out); });
  return std::string(out.text());
}

std::string black_box_json(const BlackBox& box) {
  std::string buffer(report_bytes_max, '\0');
  TextWriter out(buffer);
  {
    JsonObject object(out);
    run_json(box.run(), object.key("run"));
    run_json(box.previous_run(), object.key("previous_run"));
    tell_incident_json(box.incident(), object.key("incident"));
    object.key("pipelines").append('[');
    bool first = true;
    for (const PipelineTrace& trace : box.traces()) {
      if (trace.name[0] == '\0') continue;
      if (!first) out.append(',');
      first = false;
      trace_json(trace, out);
    }
    out.append(']');
    object.key("events").append('[');
    first = true;
    box.each_record([&](const FlightRecord& record) {
      if (!first) out.append(',');
      first = false;
      record_json(record, out);
    });
    out.append(']');
  }
  out.append('\n');
  return std::string(out.text());
}

}  // namespace weir
