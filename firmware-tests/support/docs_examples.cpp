#include "firmware-tests/support/docs_examples.h"

#include "firmware-tests/support/markdown.h"

namespace weir::test {

std::vector<DocsExample> docs_examples(const std::string& page) {
  std::vector<DocsExample> examples;
  DocsExample example;
  example.page = page;
  for (const Fence& fence : markdown_fences(page)) {
    if (fence.info == "csv") {
      example.csv = fence.text;
    } else if (fence.info == "toml") {
      example.toml = fence.text;
      example.line = fence.line;
      example.section = fence.section;
    } else if (fence.info == "json in") {
      example.input = fence.text;
    } else if (fence.info == "json out") {
      example.output = fence.text;
      examples.push_back(example);
      example.toml.clear();
      example.csv.clear();
    }
  }
  return examples;
}

}  // namespace weir::test
