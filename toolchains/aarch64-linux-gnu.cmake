# For gateways with 64-bit ARM (Debian's arm64): cmake --preset arm64
set(WEIR_ARCHITECTURE arm64)
set(WEIR_TRIPLE aarch64-linux-gnu)
set(WEIR_QEMU qemu-aarch64-static)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
