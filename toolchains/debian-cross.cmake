# What aarch64-linux-gnu.cmake and arm-linux-gnueabihf.cmake have in common: Debian's cross compiler, a sysroot made by
# make_sysroot.sh, and qemu for what is run while building and testing. They set WEIR_ARCHITECTURE, WEIR_TRIPLE, WEIR_QEMU and
# CMAKE_SYSTEM_PROCESSOR.
set(CMAKE_SYSTEM_NAME Linux)

# A toolchain file is read again for every try_compile.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WEIR_SYSROOT)
if(NOT WEIR_SYSROOT)
  set(WEIR_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${WEIR_ARCHITECTURE}")
endif()
get_filename_component(WEIR_SYSROOT "${WEIR_SYSROOT}" REALPATH)
if(NOT EXISTS "${WEIR_SYSROOT}/usr/include/${WEIR_TRIPLE}")
  message(FATAL_ERROR "there is no sysroot in ${WEIR_SYSROOT}: toolchains/make_sysroot.sh ${WEIR_ARCHITECTURE} FOLDER makes one")
endif()

set(CMAKE_SYSROOT "${WEIR_SYSROOT}")
set(CMAKE_C_COMPILER ${WEIR_TRIPLE}-gcc)
set(CMAKE_CXX_COMPILER ${WEIR_TRIPLE}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${WEIR_TRIPLE})

# Programs that run while building (protoc) are this machine's, everything else is the sysroot's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_LIBDIR} "${WEIR_SYSROOT}/usr/lib/${WEIR_TRIPLE}/pkgconfig:${WEIR_SYSROOT}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${WEIR_SYSROOT}")
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} "")

find_program(WEIR_QEMU_PROGRAM ${WEIR_QEMU})
if(WEIR_QEMU_PROGRAM)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${WEIR_QEMU_PROGRAM};-L;${WEIR_SYSROOT}")
endif()
