# weir_nanopb(TARGET a.proto ...): a static library of the generated code. Options stand beside the schema (a.options).
find_program(PROTOC_EXECUTABLE protoc REQUIRED)
find_program(PROTOC_GEN_NANOPB protoc-gen-nanopb REQUIRED)

function(weir_nanopb target)
  set(generated "${CMAKE_BINARY_DIR}/${target}.generated")
  file(MAKE_DIRECTORY "${generated}")
  set(sources)
  foreach(schema ${ARGN})
    get_filename_component(path "${schema}" ABSOLUTE)
    get_filename_component(folder "${path}" DIRECTORY)
    get_filename_component(stem "${path}" NAME_WE)
    add_custom_command(
      OUTPUT "${generated}/${stem}.pb.c" "${generated}/${stem}.pb.h"
      COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${PROTOC_EXECUTABLE}
              --plugin=protoc-gen-nanopb=${PROTOC_GEN_NANOPB} -I "${folder}" "--nanopb_out=${generated}"
              "--nanopb_opt=-I${folder} --no-timestamp" "${path}"
      DEPENDS "${path}" "${folder}/${stem}.options"
      COMMENT "nanopb ${stem}.proto" VERBATIM)
    list(APPEND sources "${generated}/${stem}.pb.c")
  endforeach()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC "${generated}")
  target_link_libraries(${target} PUBLIC nanopb::protobuf-nanopb-static)
endfunction()
