# For gateways with 32-bit ARM from ARMv7 on (Debian's armhf): cmake --preset armhf
set(WEIR_ARCHITECTURE armhf)
set(WEIR_TRIPLE arm-linux-gnueabihf)
set(WEIR_QEMU qemu-arm-static)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
