// The path of a Unix socket as it stands in a configuration.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

namespace sidestream {

// What `sun_path` of unix(7) holds on Linux, without the terminator.
inline constexpr std::size_t unix_path_bytes_max = 107;

// Absolute, not too long, without NUL. The error is for a person, to follow the text in quotes.
[[nodiscard]] inline std::expected<void, std::string_view> check_unix_path(std::string_view path) {
  if (!path.starts_with('/'))
    return std::unexpected("the path of a Unix socket must be absolute; write unix:/PATH");
  if (path.size() > unix_path_bytes_max)
    return std::unexpected("the path of a Unix socket has 107 bytes at most; use a shorter one");
  if (path.contains('\0') || path.ends_with('/'))
    return std::unexpected("this is not the path of a file");
  return {};
}

}  // namespace sidestream
