#include "agent/config/program_configuration.h"

namespace weir {
namespace {

ConfigFiles& files() {
  static ConfigFiles all;
  return all;
}

}  // namespace

void add_program_configuration(std::string name, std::string text) { files().push_back({std::move(name), std::move(text)}); }

const ConfigFiles& program_configuration() { return files(); }

}  // namespace weir
