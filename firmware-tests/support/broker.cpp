#include "firmware-tests/support/broker.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <string_view>
#include <utility>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/free_port.h"
#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

constexpr int64_t start_deadline_ms = 5000;
constexpr int64_t stop_deadline_ms = 10'000;
constexpr int start_attempts = 5;

/// Settings that say where the broker listens, writes and logs: a private broker brings its own.
bool is_place(std::string_view line) {
  constexpr std::string_view places[] = {
      "listener",         "port",     "bind_address", "socket_domain", "persistence_location",
      "persistence_file", "log_",     "pid_file",     "user",          "allow_anonymous",
      "password_file",    "acl_file", "include_dir",  "protocol"};
  for (std::string_view place : places) {
    if (line.starts_with(place)) return true;
  }
  return false;
}

bool is_changed(std::string_view line, const std::vector<std::string>& changes) {
  const std::string_view setting = line.substr(0, line.find(' '));
  return std::ranges::any_of(changes, [setting](const std::string& change) {
    return std::string_view(change).substr(0, change.find(' ')) == setting;
  });
}

}  // namespace

Broker::Broker(std::string settings) : settings_(std::move(settings)) {}

std::string Broker::default_settings() { return WEIR_SOURCE_DIR "/configs/mosquitto.conf"; }

std::string Broker::program() { return path_exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto"; }

std::string Broker::url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

std::string Broker::log() const { return read_whole_file(directory_.file("mosquitto.log")); }

Status Broker::write_config() {
  if (!path_exists(settings_)) return {Code::NotFound, "no broker settings"};
  std::istringstream settings(read_whole_file(settings_));
  std::string config;
  for (std::string line; std::getline(settings, line);) {
    if (!is_place(line) && !is_changed(line, changes_)) config.append(line).append("\n");
  }
  for (const std::string& change : changes_) config.append(change).append("\n");
  config += "listener " + std::to_string(port_) + " 127.0.0.1\nallow_anonymous true\n";
  config += "persistence_location " + directory_.path() + "/\nlog_dest stderr\nlog_type error\nlog_type warning\n";
  config += "log_type notice\nlog_type subscribe\nlog_timestamp false\n";
  // Started by root, mosquitto would change to a user who cannot write here.
  if (geteuid() == 0) config += "user root\n";
  return write_whole_file(directory_.file("mosquitto.conf"), config);
}

Status Broker::start_on_port() {
  WEIR_TRY(write_config());
  const std::string log = directory_.file("mosquitto.log");
  WEIR_TRY(process_.start({{program(), "-c", directory_.file("mosquitto.conf")}, {}, log, log}));
  const bool decided = eventually(
      start_deadline_ms, [this] { return accepts_connections(port_) || !process_.running(); }, 2);
  if (decided && process_.running()) return {};
  process_.kill_and_wait();
  return {Code::Unavailable, "mosquitto did not start"};
}

Status Broker::start() {
  if (port_ != 0) return start_on_port();
  Status status;
  for (int attempt = 0; attempt < start_attempts; ++attempt) {
    port_ = free_port();
    status = start_on_port();
    if (status.code() != Code::Unavailable) break;
  }
  return status;
}

bool Broker::wait_for_subscription(const std::string& client_id, int64_t deadline_ms) {
  // "sensor-reader 1 sensors/#": client, QoS, filter.
  return eventually(deadline_ms, [&] { return log().find("\n" + client_id + " 1 ") != std::string::npos; });
}

Status Broker::stop() {
  process_.signal(SIGTERM);
  if (process_.wait(stop_deadline_ms)) return {};
  process_.kill_and_wait();
  return {Code::Unavailable, "mosquitto did not stop"};
}

}  // namespace weir
