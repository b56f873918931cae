# weir_flags: what every file of ours is compiled with. Exceptions and RTTI are off in our code; warnings are errors.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Wformat=2 -Wundef -Wno-psabi>
  # Results are the same everywhere: no processor's fused multiply-add, which rounds once where others round twice.
  -ffp-contract=off
  -ffunction-sections -fdata-sections -fstack-protector-strong -fPIE)
target_compile_definitions(weir_flags INTERFACE _FILE_OFFSET_BITS=64 _TIME_BITS=64
  $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_link_options(weir_flags INTERFACE -pie -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--as-needed)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

# The stack of a thread that hangs or has crashed: without exceptions 32-bit ARM, alone, has no tables for walking it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  target_compile_options(weir_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-funwind-tables>)
endif()

if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -O1 -g1)  # unoptimised, the suite takes three times as long
  target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()
