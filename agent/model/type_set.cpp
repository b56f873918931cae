#include "agent/model/type_set.h"

namespace weir {

std::string TypeSet::text() const {
  std::string text;
  TypeSet left = *this;
  for (Type type : {Type::Bool, Type::Int, Type::Float, Type::String, Type::Time}) {
    if (!contains(type)) continue;
    left.bits_ &= ~TypeSet(type).bits_;
    if (!text.empty()) text += (left.bits_ & all_types.bits_) == 0 ? " or " : ", ";
    text += type_name(type);
  }
  return text;
}

}  // namespace weir
