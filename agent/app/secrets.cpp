#include "agent/app/secrets.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace weir {

namespace {

constexpr std::string_view credentials = "$CREDENTIALS_DIRECTORY/";

}  // namespace

std::string read_password(const MqttSpec& mqtt, Diagnostics& diagnostics) {
  if (mqtt.password_file.empty()) return mqtt.password;
  std::string path = mqtt.password_file;
  if (path.starts_with(credentials)) {
    const char* folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) {
      diagnostics.error(mqtt.at, 1, "password_file is a credential, and there is no CREDENTIALS_DIRECTORY",
                        "systemd sets it where the unit says LoadCredential=" + path.substr(credentials.size()) +
                            ":FILE; by hand: CREDENTIALS_DIRECTORY=FOLDER weir ...");
      return {};
    }
    path = folder + path.substr(credentials.size() - 1);
  }
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) {
    diagnostics.error(mqtt.at, 1, "cannot read password_file " + quoted(path) + ": " + strerror(errno));
    return {};
  }
  char text[1024];
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  std::string password(text, size);
  return password.substr(0, password.find_first_of("\r\n"));
}

}  // namespace weir
