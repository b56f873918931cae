#include "agent/app/secrets.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace weir {

std::string read_password(const MqttSpec& mqtt, Diagnostics& diagnostics) {
  if (mqtt.password_file.empty()) return mqtt.password;
  FILE* file = fopen(mqtt.password_file.c_str(), "re");
  if (file == nullptr) {
    diagnostics.error(mqtt.at, 1, "cannot read password_file " + quoted(mqtt.password_file) + ": " + strerror(errno));
    return {};
  }
  char text[1024];
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  std::string password(text, size);
  return password.substr(0, password.find_first_of("\r\n"));
}

}  // namespace weir
