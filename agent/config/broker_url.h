// mqtt://HOST[:PORT] taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct BrokerUrl {
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 1883;
  size_t problem_offset = 0;  // bytes of the url
  std::string problem;        // empty: the url is good
  std::string help;
};

BrokerUrl parse_broker_url(std::string_view url);

}  // namespace weir
