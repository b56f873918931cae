#include "firmware-tests/support/markdown.h"

#include <fstream>

namespace weir::test {

std::vector<Fence> markdown_fences(const std::string& page) {
  std::ifstream file(WEIR_SOURCE_DIR "/docs/" + page);
  std::vector<Fence> fences;
  std::string section;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with("```")) {
      if (inside)
        fences.back().closed = true;
      else
        fences.push_back({line.substr(3), "", section, number, false});
      inside = !inside;
    } else if (inside) {
      fences.back().text += line + "\n";
    } else if (line.starts_with("### ")) {
      section = line.substr(4);
    }
  }
  return fences;
}

}  // namespace weir::test
