# One interface target carries every flag that all of our code is built with.
add_library(sidestream_compiler INTERFACE)
target_compile_features(sidestream_compiler INTERFACE cxx_std_23)
target_include_directories(sidestream_compiler INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(
  sidestream_compiler
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wcast-qual
            -Wformat=2
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -fstack-protector-strong
            $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>
            $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Wrong about `"text" + std::string` when it optimises (GCC bug 105651).
  target_compile_options(sidestream_compiler INTERFACE -Wno-restrict)
  # At -O3 it takes the inactive side of std::expected for a value that may be used.
  target_compile_options(sidestream_compiler
                         INTERFACE $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++'s own std::stable_sort uses std::get_temporary_buffer, which it marks as deprecated.
  target_compile_options(sidestream_compiler INTERFACE -Wno-deprecated-declarations)
endif()
target_compile_definitions(
  sidestream_compiler INTERFACE _GLIBCXX_ASSERTIONS BOOST_ASIO_NO_DEPRECATED
                                BOOST_ASIO_DISABLE_BOOST_ARRAY)
if(SIDESTREAM_WERROR)
  target_compile_options(sidestream_compiler INTERFACE -Werror)
endif()
if(SIDESTREAM_SANITIZE)
  target_compile_options(sidestream_compiler INTERFACE -fsanitize=${SIDESTREAM_SANITIZE}
                                                       -fno-omit-frame-pointer)
  target_link_options(sidestream_compiler INTERFACE -fsanitize=${SIDESTREAM_SANITIZE})
endif()
if(SIDESTREAM_FUZZ)
  target_compile_options(sidestream_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SIDESTREAM_STATIC)
  target_compile_options(sidestream_compiler INTERFACE -ffunction-sections -fdata-sections)
endif()

# For folders whose code runs once for a stream, or less: size counts there (the image's limit is 15
# MB), speed where each byte goes by (streams, tunnel).
set(sidestream_small $<$<CONFIG:Release>:-Os>)
