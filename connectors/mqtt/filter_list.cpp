#include "connectors/mqtt/filter_list.h"

namespace weir {
namespace {

struct Entry {
  std::string_view filter;
  uint8_t qos = 0;
};

Entry next(ByteReader& in) {
  Entry entry;
  entry.qos = in.get<uint8_t>();
  entry.filter = in.get_sized_text();
  in.get<uint8_t>();
  return entry;
}

}  // namespace

bool FilterList::add(std::string_view filter, uint8_t qos) {
  if (encoded_bytes(filter) > out_.room()) return false;
  out_.put(qos);
  out_.put_sized(filter);
  out_.put(uint8_t{0});
  return true;
}

bool FilterList::contains(std::string_view filter, uint8_t qos) const {
  bool found = false;
  for_each([&](std::string_view each, uint8_t each_qos) { found = found || (each == filter && each_qos == qos); });
  return found;
}

void FilterList::for_each(FunctionRef<void(std::string_view, uint8_t)> visit) const { for_each_in(out_.bytes(), visit); }

void FilterList::for_each_in(Bytes bytes, FunctionRef<void(std::string_view, uint8_t)> visit) {
  ByteReader in(bytes);
  while (in.ok() && !in.at_end()) {
    Entry entry = next(in);
    if (in.ok()) visit(entry.filter, entry.qos);
  }
}

bool FilterList::valid(Bytes bytes) {
  ByteReader in(bytes);
  while (in.ok() && !in.at_end()) {
    Entry entry = next(in);
    if (!in.ok() || entry.filter.empty() || entry.qos > 2) return false;
    // The closing zero, and none before it.
    if (entry.filter.find('\0') != std::string_view::npos || entry.filter.data()[entry.filter.size()] != '\0') return false;
  }
  return in.ok();
}

}  // namespace weir
