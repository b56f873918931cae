#include "agent/model/value.h"

namespace weir {

const char* type_name(Type type) {
  switch (type) {
    case Type::Null:
      return "null";
    case Type::Bool:
      return "bool";
    case Type::Int:
      return "int";
    case Type::Float:
      return "float";
    case Type::String:
      return "string";
    case Type::Time:
      return "time";
  }
  return "?";
}

}  // namespace weir
