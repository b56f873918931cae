#include "agent/operators/window_fields.h"

#include <algorithm>
#include <span>

namespace weir {
namespace {

constexpr const char* added_names[] = {"window_start", "window_end", "pane"};

std::span<const char* const> added(bool panes) { return std::span(added_names).first(panes ? 3 : 2); }

class Names {
 public:
  explicit Names(bool panes) : added_(added(panes)) {}

  void add(WindowFault::Part part, size_t index, const std::string& name) {
    if (std::ranges::find(added_, name) != added_.end())
      faults.push_back({part, index, "\"" + name + "\" is a field that every window adds; choose another name"});
    else if (std::ranges::find(names_, name) != names_.end())
      faults.push_back({part, index, "\"" + name + "\" is there twice; a result's fields need different names"});
    names_.push_back(name);
  }
  bool too_many() const { return names_.size() + added_.size() > fields_max; }

  std::vector<WindowFault> faults;

 private:
  std::span<const char* const> added_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<WindowFault> check_window_fields(const Schema& input, const std::vector<uint32_t>& key_fields,
                                             const AggregateSet& aggregates, bool panes) {
  using Part = WindowFault::Part;
  Names names(panes);
  for (size_t index = 0; index < key_fields.size(); ++index) names.add(Part::KeyBy, index, input[key_fields[index]].name);
  for (size_t index = 0; index < aggregates.size(); ++index) names.add(Part::Aggregate, index, aggregates[index].name);
  const bool keys_alone = aggregates.empty();
  if (names.too_many())
    names.faults.push_back(
        {keys_alone ? Part::KeyBy : Part::Aggregate, (keys_alone ? key_fields.size() : aggregates.size()) - 1,
         "a result has at most " + std::to_string(fields_max) + " fields, window_start and window_end among them"});
  return std::move(names.faults);
}

Schema window_fields(const Schema& input, const std::vector<uint32_t>& key_fields, const AggregateSet& aggregates, bool panes) {
  Schema schema;
  for (uint32_t position : key_fields) schema.add(input[position]);
  aggregates.append_fields(schema);
  schema.add({added_names[0], Type::Time, 0});
  schema.add({added_names[1], Type::Time, 0});
  if (panes) schema.add({added_names[2], Type::Int, 0});
  return schema;
}

}  // namespace weir
