// weir doctor: the memory that is there, and the brokers: whether they can be reached, and whether one on this machine loses
// what the agent has not got yet.
#include "agent/app/doctor.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "agent/app/doctor_judge.h"
#include "agent/app/library_memory.h"

namespace weir {
namespace {

constexpr int connect_patience_ms = 2000;
constexpr const char* mosquitto_settings = "/etc/mosquitto/mosquitto.conf";
constexpr const char* mosquitto_folder = "/etc/mosquitto/conf.d";

/// "8M" as systemd writes sizes, to the power of 1024; 0 for none, for "infinity" and for a share of the memory.
uint64_t systemd_size(const std::string& text) {
  char* end = nullptr;
  const double number = strtod(text.c_str(), &end);
  double factor = 1;
  switch (*end) {
    case 'K':
      factor = 1024;
      break;
    case 'M':
      factor = 1024.0 * 1024;
      break;
    case 'G':
      factor = 1024.0 * 1024 * 1024;
      break;
    case '%':
      return 0;
    default:
      break;
  }
  return number > 0 && number * factor < 1e15 ? static_cast<uint64_t>(number * factor) : 0;
}

/// Empty if a connection came about.
std::string connect_to(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list); code != 0)
    return gai_strerror(code);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::string problem = "no address";
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    const int descriptor = socket(each->ai_family, each->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, each->ai_protocol);
    if (descriptor < 0) continue;
    int error = connect(descriptor, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
      socklen_t size = sizeof error;
      if (poll(&wanted, 1, connect_patience_ms) != 1)
        error = ETIMEDOUT;
      else
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    close(descriptor);
    if (error == 0) return {};
    problem = strerror(error);
  }
  return problem;
}

/// The value of the last line that begins with `key`, empty without one.
std::string setting(std::string_view settings, std::string_view key) {
  std::string value;
  for (const std::string& line : split(settings, '\n'))
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') value = line.substr(key.size() + 1);
  return value.substr(0, value.find_last_not_of(" \t\r") + 1);
}

}  // namespace

Finding judge_memory(uint64_t needed_bytes, uint64_t available_bytes, uint64_t limit_bytes) {
  const std::string needs = "the agent may come to need " + mebibytes_text(needed_bytes);
  const char* advice = "`weir plan` shows where it goes; make max_keys, windows or buffers smaller";
  if (limit_bytes > 0 && limit_bytes < needed_bytes)
    return {Verdict::Fail, "memory", needs + ", the unit's MemoryMax is " + mebibytes_text(limit_bytes),
            "`weir plan --systemd` writes one that fits"};
  if (available_bytes == 0) return {Verdict::Warn, "memory", needs + "; what is available cannot be told", ""};
  const std::string text = needs + ", available are " + mebibytes_text(available_bytes);
  if (available_bytes < needed_bytes) return {Verdict::Warn, "memory", text, advice};
  return {Verdict::Ok, "memory", text, ""};
}

std::vector<Finding> judge_mosquitto(std::string_view settings) {
  std::vector<Finding> findings;
  const char* advice = "copy configs/mosquitto.conf to /etc/mosquitto/conf.d/weir.conf; docs/mqtt-broker.md says why";
  if (setting(settings, "persistence") != "true")
    findings.push_back({Verdict::Warn, "broker",
                        "mosquitto forgets sessions and queued messages when it is started again (persistence)", advice});
  const std::string queued = setting(settings, "max_queued_messages");
  if (queued.empty())
    findings.push_back({Verdict::Warn, "broker",
                        "mosquitto drops what exceeds 1000 messages while the agent is away (max_queued_messages)", advice});
  if (setting(settings, "autosave_on_changes") != "true" && setting(settings, "autosave_interval").empty())
    findings.push_back(
        {Verdict::Warn, "broker",
         "mosquitto writes its queues every 30 minutes only: a power cut loses what came since (autosave_interval)", advice});
  if (const std::string expiry = setting(settings, "persistent_client_expiration"); !expiry.empty())
    findings.push_back({Verdict::Warn, "broker",
                        "mosquitto forgets the agent's session after " + expiry + " (persistent_client_expiration)",
                        "leave it out, or above the longest outage"});
  return findings;
}

void check_host_memory(const Host& host, std::vector<Finding>& findings) {
  if (host.agent == nullptr) return;
  const std::string text = host.read("/proc/meminfo");
  const size_t at = text.find("MemAvailable:");
  const uint64_t available = at == std::string::npos ? 0 : strtoull(text.c_str() + at + 13, nullptr, 10) * 1024;
  findings.push_back(judge_memory(whole_memory(host.config->specification, host.agent->arena().used()), available,
                                  systemd_size(UnitSettings(host).get("Service", "MemoryMax"))));
}

void check_host_broker(const Host& host, std::vector<Finding>& findings) {
  if (host.config->unusable) return;
  bool local = false;
  for (const MqttSpec& mqtt : host.config->specification.mqtt) {
    if (mqtt.host.empty()) continue;
    const bool here = mqtt.host == "localhost" || mqtt.host.starts_with("127.") || mqtt.host == "::1";
    local |= here;
    const std::string problem = connect_to(mqtt.host, mqtt.port);
    const std::string name = "mqtt." + mqtt.name + " at " + mqtt.host + " port " + std::to_string(mqtt.port);
    if (problem.empty())
      findings.push_back({Verdict::Ok, "broker", name + " can be reached", ""});
    else
      findings.push_back({Verdict::Fail, "broker", name + ": " + problem,
                          here ? "start it: systemctl status mosquitto" : "check the address, the network and the firewall"});
  }
  std::string settings = host.read(mosquitto_settings);
  if (!local || settings.empty()) return;
  for (const std::string& path : host.conf_files(mosquitto_folder)) settings += "\n" + host.read(path);
  std::ranges::copy(judge_mosquitto(settings), std::back_inserter(findings));
}

}  // namespace weir
