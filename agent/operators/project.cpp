#include "agent/operators/project.h"

#include <algorithm>

namespace weir {
namespace {

std::string in_quotes(const std::string& name) { return "\"" + name + "\""; }

/// Finds each name in the input; a name that is not there, or is given twice, is a fault.
ProjectFault find_fields(const std::vector<std::string>& names, const Schema& input, std::vector<uint32_t>& positions) {
  for (size_t index = 0; index < names.size(); ++index) {
    int position = input.find(names[index]);
    if (position < 0) return {index, "there is no field " + in_quotes(names[index]) + " at this step", names[index]};
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(index), names[index]) !=
        names.begin() + static_cast<std::ptrdiff_t>(index))
      return {index, in_quotes(names[index]) + " is named twice", {}};
    positions.push_back(static_cast<uint32_t>(position));
  }
  return {};
}

bool contains(const std::vector<uint32_t>& positions, uint32_t position) {
  return std::find(positions.begin(), positions.end(), position) != positions.end();
}

}  // namespace

ProjectFault select_fields(const std::vector<std::string>& names, const Schema& input, std::vector<ProjectedField>& output) {
  std::vector<uint32_t> positions;
  ProjectFault fault = find_fields(names, input, positions);
  for (uint32_t position : positions) output.push_back({position, input[position].name});
  return fault;
}

ProjectFault drop_fields(const std::vector<std::string>& names, const Schema& input, std::vector<ProjectedField>& output) {
  std::vector<uint32_t> positions;
  ProjectFault fault = find_fields(names, input, positions);
  for (uint32_t position = 0; position < input.size(); ++position)
    if (!contains(positions, position)) output.push_back({position, input[position].name});
  if (fault.message.empty() && output.empty()) return {0, "no field would be left", {}};
  return fault;
}

ProjectFault rename_fields(const std::vector<std::pair<std::string, std::string>>& names, const Schema& input,
                           std::vector<ProjectedField>& output) {
  std::vector<std::string> old_names;
  old_names.reserve(names.size());
  for (const auto& [old_name, new_name] : names) old_names.push_back(old_name);
  std::vector<uint32_t> positions;
  if (ProjectFault fault = find_fields(old_names, input, positions); !fault.message.empty()) return fault;
  for (uint32_t position = 0; position < input.size(); ++position) output.push_back({position, input[position].name});
  for (size_t index = 0; index < names.size(); ++index) output[positions[index]].name = names[index].second;
  for (size_t index = 0; index < names.size(); ++index) {
    if (names[index].second.empty()) return {index, "a field needs a name", {}};
    auto same = [&](const ProjectedField& field) { return field.name == names[index].second; };
    if (std::count_if(output.begin(), output.end(), same) > 1)
      return {index, "two fields would be called " + in_quotes(names[index].second), {}};
  }
  return {};
}

Project::Project(std::string id, std::vector<ProjectedField> fields, const Schema& input, Arena& arena, std::string_view pool)
    : id_(std::move(id)), fields_(std::move(fields)) {
  for (const ProjectedField& field : fields_) {
    Field projected = input[field.position];
    projected.name = field.name;
    schema_.add(std::move(projected));
  }
  row_ = arena.take<Value>(schema_.size(), std::string(pool) + ".row",
                           "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
}

Outcome Project::process(const Record& record) {
  for (size_t index = 0; index < fields_.size(); ++index) row_[index] = record.values[fields_[index].position];
  Record projected = record;
  projected.values = row_;
  return next().process(projected);
}

}  // namespace weir
