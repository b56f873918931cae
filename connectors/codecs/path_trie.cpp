#include "connectors/codecs/path_trie.h"

#include <algorithm>

#include "agent/base/assert.h"

namespace weir {

PathTrie::PathTrie(const std::vector<SourceField>& fields) {
  WEIR_ASSERT(fields.size() <= fields_max);
  add_node();
  for (uint32_t position = 0; position < fields.size(); ++position) {
    if (fields[position].origin != FieldOrigin::Payload) continue;
    uint32_t at = 0;
    for (const PathSegment& segment : fields[position].path) at = step(at, segment);
    nodes_[at].fields.push_back(position);
  }
}

uint32_t PathTrie::step(uint32_t from, const PathSegment& segment) {
  return segment.index >= 0 ? step_to_element(from, static_cast<uint64_t>(segment.index)) : step_to_member(from, segment.name);
}

uint32_t PathTrie::step_to_member(uint32_t from, const std::string& name) {
  for (const Member& member : nodes_[from].members)
    if (member.name == name) return member.node;
  uint32_t to = add_node();
  nodes_[from].members.push_back({name, to});
  nodes_[from].name_lengths |= length_bit(name);
  return to;
}

uint32_t PathTrie::step_to_element(uint32_t from, uint64_t index) {
  for (const Element& element : nodes_[from].elements)
    if (element.index == index) return element.node;
  uint32_t to = add_node();
  std::vector<Element>& elements = nodes_[from].elements;
  auto after = std::find_if(elements.begin(), elements.end(), [&](const Element& element) { return element.index > index; });
  elements.insert(after, {index, to});
  return to;
}

uint32_t PathTrie::add_node() {
  nodes_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

}  // namespace weir
