# One interface target per library from Debian, so that the rest of the build names ours only. Third-party headers are
# system headers: their warnings are not ours.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nanopb CONFIG REQUIRED)

function(weir_dependency name module)
  pkg_check_modules(${name}_PC REQUIRED IMPORTED_TARGET ${module})
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE PkgConfig::${name}_PC)
endfunction()

weir_dependency(weir_mosquitto libmosquitto)
weir_dependency(weir_sqlite sqlite3)
weir_dependency(weir_simdjson simdjson)
if(WEIR_TESTS)
  weir_dependency(weir_cpputest cpputest)
endif()

# Header-only: xxHash is inlined, toml++ is included by one file.
find_path(WEIR_XXHASH_INCLUDE xxhash.h REQUIRED)
add_library(weir_xxhash INTERFACE)
target_include_directories(weir_xxhash SYSTEM INTERFACE "${WEIR_XXHASH_INCLUDE}")
find_path(WEIR_TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
add_library(weir_tomlplusplus INTERFACE)
target_include_directories(weir_tomlplusplus SYSTEM INTERFACE "${WEIR_TOMLPLUSPLUS_INCLUDE}")
