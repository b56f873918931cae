#include "agent/operators/value_order.h"

namespace weir {
namespace {

template <class T>
int order(T left, T right) {
  return left < right ? -1 : (right < left ? 1 : 0);
}

}  // namespace

int compare_values(const Value& left, const Value& right) {
  switch (left.type()) {
    case Type::Bool:
      return order(left.as_bool(), right.as_bool());
    case Type::Int:
    case Type::Time:
      return order(left.as_int(), right.as_int());
    case Type::Float:
      return order(left.as_float(), right.as_float());
    case Type::String:
      return left.as_string().compare(right.as_string());
    case Type::Null:
      break;
  }
  WEIR_ASSERT(false);
}

}  // namespace weir
