#include "agent/config/broker_url.h"

#include <algorithm>

namespace weir {
namespace {

constexpr const char* form = "the form is mqtt://HOST or mqtt://HOST:PORT";
constexpr std::string_view scheme = "mqtt://";
constexpr size_t host_bytes_max = 253;

BrokerUrl bad(size_t offset, std::string problem, std::string help = form) {
  BrokerUrl url;
  url.problem_offset = offset;
  url.problem = std::move(problem);
  url.help = std::move(help);
  return url;
}

bool is_host_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '.' || character == '-' || character == '_';
}

bool is_address_character(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
         (character >= 'A' && character <= 'F') || character == ':' || character == '.' || character == '%' ||
         is_host_character(character);
}

bool parse_port(std::string_view digits, uint16_t& port) {
  uint32_t value = 0;
  if (digits.empty() || digits.size() > 5) return false;
  for (char digit : digits) {
    if (digit < '0' || digit > '9') return false;
    value = value * 10 + static_cast<uint32_t>(digit - '0');
  }
  port = static_cast<uint16_t>(value);
  return value >= 1 && value <= 65535;
}

}  // namespace

BrokerUrl parse_broker_url(std::string_view url) {
  if (url.starts_with("mqtts://") || url.starts_with("ws://") || url.starts_with("wss://"))
    return bad(0, "TLS and WebSockets are not in this version of weir");
  if (!url.starts_with(scheme)) return bad(0, "a broker's url begins with mqtt://");
  std::string_view rest = url.substr(scheme.size());
  if (rest.find('@') != std::string_view::npos)
    return bad(scheme.size(), "user and password do not stand in the url", "they have their own keys: username, password_file");

  bool bracketed = rest.starts_with("[");
  size_t host_begin = bracketed ? 1 : 0;
  size_t host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos) return bad(scheme.size(), "the bracket of the IPv6 address is not closed");
  std::string_view host = rest.substr(host_begin, host_end - host_begin);
  auto allowed = bracketed ? is_address_character : is_host_character;
  auto odd = std::find_if_not(host.begin(), host.end(), allowed);
  if (odd != host.end())
    return bad(static_cast<size_t>(&*odd - url.data()), std::string("unexpected character in the host's name"));
  if (host.empty()) return bad(scheme.size(), "the url names no host");
  if (host.size() > host_bytes_max) return bad(scheme.size(), "the host's name is longer than 253 bytes");

  BrokerUrl result;
  result.host = std::string(host);
  std::string_view after = rest.substr(host_end + host_begin);
  size_t after_offset = url.size() - after.size();
  if (after.empty()) return result;
  if (after[0] != ':') return bad(after_offset, "unexpected text behind the host's name");
  if (!parse_port(after.substr(1), result.port)) return bad(after_offset + 1, "the port is a number from 1 to 65535");
  return result;
}

}  // namespace weir
