// PathTrie: the paths of a source's fields, merged by common beginnings, so that one walk over a document finds them all and
// steps over everything else. Built at start, then read only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/source_field.h"

namespace weir {

class PathTrie {
 public:
  struct Member {
    std::string name;
    uint32_t node = 0;
  };
  struct Element {
    uint64_t index = 0;
    uint32_t node = 0;
  };
  /// A place in the document that some path leads to or through.
  struct Node {
    std::vector<uint32_t> fields;   // positions of the fields that end here
    std::vector<Member> members;    // where an object leads on; at most fields_max
    std::vector<Element> elements;  // where an array leads on; by rising index
    uint64_t name_lengths = 0;      // bit n: some member's name has n bytes; bit 63: 63 or more

    /// Whether some member's name is as long as `name`: most names are ruled out by their length alone.
    bool may_have(std::string_view name) const { return (name_lengths & length_bit(name)) != 0; }
  };

  /// Takes the fields that come from the payload. Requires at most fields_max fields.
  explicit PathTrie(const std::vector<SourceField>& fields);

  const Node& root() const { return nodes_[0]; }
  const Node& node(uint32_t index) const { return nodes_[index]; }

 private:
  static uint64_t length_bit(std::string_view name) { return uint64_t{1} << (name.size() < 63 ? name.size() : 63); }
  uint32_t step(uint32_t from, const PathSegment& segment);
  uint32_t step_to_member(uint32_t from, const std::string& name);
  uint32_t step_to_element(uint32_t from, uint64_t index);
  uint32_t add_node();

  std::vector<Node> nodes_;
};

}  // namespace weir
