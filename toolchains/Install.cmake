# What `cmake --install` puts in place: the agent, and what a program with operators of its own is built with: the public
# headers, one library, and a CMake package with the target weir::weir.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The headers of ours that these ones include, directly or not, and they themselves.
function(weir_header_closure result)
  set(all)
  set(waiting ${ARGN})
  while(waiting)
    list(POP_FRONT waiting header)
    if(header IN_LIST all)
      continue()
    endif()
    list(APPEND all "${header}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${header}")
    file(STRINGS "${CMAKE_SOURCE_DIR}/${header}" lines REGEX "^#include \"")
    foreach(line ${lines})
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
      list(APPEND waiting "${included}")
    endforeach()
  endwhile()
  set(${result} ${all} PARENT_SCOPE)
endfunction()

file(GLOB api_headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/agent/api/*.h")
weir_header_closure(public_headers ${api_headers} agent/app/run_weir.h agent/model/trigger_kind.h)
foreach(header ${public_headers})
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/weir/${folder}")
endforeach()

# All libraries as one, and the heap guard's interposer as an object: a program has exactly one.
add_library(weir_merged STATIC)
set_target_properties(weir_merged PROPERTIES OUTPUT_NAME weir LINKER_LANGUAGE CXX)
foreach(library base model expression config status operators api storage proto codecs file mqtt runtime app)
  target_sources(weir_merged PRIVATE $<TARGET_OBJECTS:weir_${library}>)
endforeach()
add_library(weir_heap OBJECT "${WEIR_HEAP_SOURCE}")
target_include_directories(weir_heap PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(weir_heap PRIVATE weir_flags)

install(TARGETS weir RUNTIME)
install(TARGETS weir_merged ARCHIVE)
install(FILES $<TARGET_OBJECTS:weir_heap> DESTINATION "${CMAKE_INSTALL_LIBDIR}/weir" RENAME heap.o)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/weir")
configure_package_config_file("${CMAKE_SOURCE_DIR}/toolchains/weirConfig.cmake.in" "${CMAKE_BINARY_DIR}/weirConfig.cmake"
  INSTALL_DESTINATION "${package_folder}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/weirConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/weirConfig.cmake" "${CMAKE_BINARY_DIR}/weirConfigVersion.cmake"
  DESTINATION "${package_folder}")
