// sd_notify(3), the protocol itself: datagrams to the socket that NOTIFY_SOCKET names. Without one every call does nothing.
#pragma once

#include <string_view>

namespace weir {

/// Sends one state, such as "READY=1" or "STATUS=3 pipelines running". Failure is logged once and never matters otherwise. Any
/// thread.
void service_notify(std::string_view state);

}  // namespace weir
