# Which libzmq version this build stands in for (spec/decisions.md): that of the libzmq installed on
# the build machine, so that the swap is invisible to bindings that compare; else 4.3.5.
set(tern_default_version 4.3.5)
find_program(TERN_PKG_CONFIG pkg-config)
if(TERN_PKG_CONFIG)
  execute_process(COMMAND ${TERN_PKG_CONFIG} --modversion libzmq
    OUTPUT_VARIABLE tern_installed_version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT tern_installed_version)
  # A run-time package has no libzmq.pc, but its file name tells: libzmq.so.5.2.N is 4.3.N.
  file(GLOB tern_installed /usr/lib/*/libzmq.so.5.2.* /usr/lib/libzmq.so.5.2.*)
  foreach(file IN LISTS tern_installed)
    if(file MATCHES "libzmq\\.so\\.5\\.2\\.([0-9]+)$")
      set(tern_installed_version 4.3.${CMAKE_MATCH_1})
    endif()
  endforeach()
endif()
if(tern_installed_version MATCHES "^4\\.3\\.[0-9]+$")
  set(tern_default_version ${tern_installed_version})
endif()
set(TERN_ZMQ_VERSION ${tern_default_version} CACHE STRING "libzmq version to report, as in 4.3.4")
if(NOT TERN_ZMQ_VERSION MATCHES "^([0-9]+)\\.([0-9]+)\\.([0-9]+)$")
  message(FATAL_ERROR "TERN_ZMQ_VERSION: ${TERN_ZMQ_VERSION} is no version")
endif()
set(TERN_ZMQ_MAJOR ${CMAKE_MATCH_1})
set(TERN_ZMQ_MINOR ${CMAKE_MATCH_2})
set(TERN_ZMQ_PATCH ${CMAKE_MATCH_3})
# The reference's file name: libzmq.so.5.2.PATCH for 4.3.PATCH.
set(TERN_LIBRARY_VERSION 5.2.${TERN_ZMQ_PATCH})

# The header that is compiled against and installed carries that version.
set(TERN_HEADER_DIR ${CMAKE_CURRENT_BINARY_DIR}/include)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/include/zmq.h tern_header)
foreach(part MAJOR MINOR PATCH)
  string(REGEX REPLACE "#define ZMQ_VERSION_${part} [0-9]+"
    "#define ZMQ_VERSION_${part} ${TERN_ZMQ_${part}}" tern_header "${tern_header}")
endforeach()
file(GENERATE OUTPUT ${TERN_HEADER_DIR}/zmq.h CONTENT "${tern_header}")
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/include/zmq_utils.h ${TERN_HEADER_DIR}/zmq_utils.h COPYONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_SOURCE_DIR}/include/zmq.h)
