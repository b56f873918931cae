#include "agent/app/function_pages.h"

#include <algorithm>

#include "agent/base/text_writer.h"

namespace weir {
namespace {

/// "abs(-5)" and "int 5".
struct Example {
  std::string_view expression;
  std::string_view result;
};

Example example_of(const Function& function) {
  constexpr std::string_view arrow = " => ";
  const size_t at = function.example.find(arrow);
  return {function.example.substr(0, at), function.example.substr(at + arrow.size())};
}

/// Calls `show` with the title and the members of each group, in the order of the rows.
template <class Show>
void for_each_group(const std::vector<const Function*>& functions, Show show) {
  for (auto begin = functions.begin(); begin != functions.end();) {
    auto end = std::find_if(begin, functions.end(), [&](const Function* each) { return each->group != (*begin)->group; });
    show(std::string(group_title((*begin)->group)), std::vector<const Function*>(begin, end));
    begin = end;
  }
}

std::string padded(std::string_view text, size_t width) {
  return std::string(text) + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

std::string json_string(std::string_view text) {
  std::string buffer(text.size() * 6 + 2, '\0');
  TextWriter out(buffer);
  return std::string(out.append_json_string(text).text());
}

std::string json_member(std::string_view name, std::string_view value) { return json_string(name) + ": " + json_string(value); }

}  // namespace

std::string functions_text(const std::vector<const Function*>& functions) {
  std::string page;
  for_each_group(functions, [&](const std::string& title, const std::vector<const Function*>& members) {
    page += (page.empty() ? "" : "\n") + title + "\n";
    for (const Function* function : members) {
      page += "  " + padded(function->signature, 34) + " " + std::string(function->summary) + "\n";
      page += "  " + std::string(34, ' ') + "   " + std::string(function->example) + "\n";
    }
  });
  return page;
}

std::string functions_json(const std::vector<const Function*>& functions) {
  std::string page = "[";
  for (const Function* function : functions) {
    const Example example = example_of(*function);
    page += page.size() == 1 ? "\n" : ",\n";
    page += "  {" + json_member("name", function->name) + ", " + json_member("group", group_title(function->group)) + ", " +
            json_member("signature", function->signature) + ",\n   " + json_member("summary", function->summary) + ",\n   " +
            json_member("example", example.expression) + ", " + json_member("result", example.result) + "}";
  }
  return page + "\n]\n";
}

std::string functions_markdown(const std::vector<const Function*>& functions) {
  std::string page;
  for_each_group(functions, [&](const std::string& title, const std::vector<const Function*>& members) {
    page += (page.empty() ? "### " : "\n### ") + title + "\n\n| function | gives |\n|---|---|\n";
    for (const Function* function : members)
      page += "| `" + std::string(function->signature) + "` | " + std::string(function->summary) + " |\n";
    page += "\n```weir\n";
    for (const Function* function : members) {
      const Example example = example_of(*function);
      page += padded(example.expression, 44) + " => " + std::string(example.result) + "\n";
    }
    page += "```\n";
  });
  return page;
}

}  // namespace weir
