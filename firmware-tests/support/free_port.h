// A TCP port on the loopback address that nothing listened on a moment ago. Another program may take it before it is used:
// whoever starts a server on it tries again with another one.
#pragma once

#include <cstdint>

namespace weir {

/// 0 if the machine has no free port.
uint16_t free_port();
/// A blocking TCP connection to this loopback port; -1 if nobody accepts.
int connect_to_port(uint16_t port);
/// Whether something accepts TCP connections on this loopback port now.
bool accepts_connections(uint16_t port);

}  // namespace weir
