#include "firmware-tests/support/docs_examples.h"

#include <fstream>

namespace weir::test {

std::vector<DocsExample> docs_examples(const std::string& page) {
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/docs/" + page);
  std::vector<DocsExample> examples;
  DocsExample example;
  example.page = page;
  std::string* open = nullptr;
  std::string other;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const bool fence = line.starts_with("```");
    if (!fence && open != nullptr) *open += line + "\n";
    if (!fence) {
      if (open == nullptr && line.starts_with("### ")) example.section = line.substr(4);
      continue;
    }
    if (open != nullptr) {
      if (open == &example.output) {
        examples.push_back(example);
        example.toml.clear();
        example.csv.clear();
      }
      open = nullptr;
      continue;
    }
    other.clear();
    open = &other;
    if (line == "```csv") {
      example.csv.clear();
      open = &example.csv;
    } else if (line == "```toml") {
      example.line = number;
      example.toml.clear();
      open = &example.toml;
    } else if (line == "```json in") {
      example.input.clear();
      open = &example.input;
    } else if (line == "```json out") {
      example.output.clear();
      open = &example.output;
    }
  }
  return examples;
}

}  // namespace weir::test
