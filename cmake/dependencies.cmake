# With SIDESTREAM_STATIC libraries are linked from their archives, so that the executable needs
# nothing but libc of the system it runs on. libc stays shared: names are looked up by what
# /etc/nsswitch.conf says there.
if(SIDESTREAM_STATIC)
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
if(SIDESTREAM_TESTS)
  find_package(GTest REQUIRED)
endif()

add_library(sidestream_sodium INTERFACE)
add_library(sidestream_yaml INTERFACE)
add_library(sidestream_spdlog INTERFACE)
if(SIDESTREAM_STATIC)
  find_library(SIDESTREAM_SODIUM_ARCHIVE libsodium.a REQUIRED)
  find_library(SIDESTREAM_YAML_ARCHIVE libyaml-cpp.a REQUIRED)
  target_include_directories(sidestream_sodium SYSTEM INTERFACE ${sodium_INCLUDE_DIRS})
  target_link_libraries(sidestream_sodium INTERFACE ${SIDESTREAM_SODIUM_ARCHIVE})
  target_link_libraries(sidestream_yaml INTERFACE ${SIDESTREAM_YAML_ARCHIVE})
  # Debian has no archives of spdlog and fmt; their headers do as well.
  target_compile_definitions(sidestream_spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
else()
  target_link_libraries(sidestream_sodium INTERFACE PkgConfig::sodium)
  if(TARGET yaml-cpp::yaml-cpp)
    target_link_libraries(sidestream_yaml INTERFACE yaml-cpp::yaml-cpp)
  else()
    target_link_libraries(sidestream_yaml INTERFACE yaml-cpp)
  endif()
  target_link_libraries(sidestream_spdlog INTERFACE spdlog::spdlog)
endif()

# wireguard-tools' library for programs that have an interface of the kernel's; the package brings
# its source among its examples.
find_path(
  SIDESTREAM_WIREGUARD_SOURCE wireguard.c
  PATHS /usr/share/doc/wireguard-tools/examples/embeddable-wg-library NO_DEFAULT_PATH
                                                                      NO_CMAKE_FIND_ROOT_PATH)
if(NOT SIDESTREAM_WIREGUARD_SOURCE)
  message(
    FATAL_ERROR
      "wireguard.c is missing: it comes with the package wireguard-tools, among its examples, "
      "which slim container images leave out. dev/setup --build-only installs it; or set "
      "SIDESTREAM_WIREGUARD_SOURCE to the folder that has wireguard.c and wireguard.h.")
endif()
add_library(sidestream_wireguard STATIC ${SIDESTREAM_WIREGUARD_SOURCE}/wireguard.c)
target_include_directories(sidestream_wireguard SYSTEM PUBLIC ${SIDESTREAM_WIREGUARD_SOURCE})
target_compile_options(sidestream_wireguard PRIVATE -w -fno-strict-aliasing)
