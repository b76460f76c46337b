// A host, by name or by address, with a port: `electrs:50001`, `192.0.2.1:22`, `[::1]:22`. What is
// dialled, not what is listened on.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace sidestream {

enum class HostPortError : std::uint8_t {
  no_host,
  no_port,
  bad_port,       // not 1 to 65535 in plain decimal
  bad_host,       // neither a name of letters, digits, dots, hyphens and underscores nor an address
  no_brackets,    // an IPv6 address that is not in brackets
  bad_address,    // looks like an address and is none: `192.0.2.256`, `[::g]`
  host_too_long,  // more than host_bytes_max
};
// For a person: what is wrong and what to write, to follow the text in quotes and a colon.
[[nodiscard]] std::string_view text_of(HostPortError error);

struct HostPort {
  static constexpr std::size_t host_bytes_max = 253;

  std::string host;  // without brackets; letters keep their case
  std::uint16_t port = 0;

  static std::expected<HostPort, HostPortError> parse(std::string_view text);
  // Parses to the same value.
  [[nodiscard]] std::string text() const;
  auto operator<=>(const HostPort&) const = default;
};

// Whether `text` can be a host without port and brackets: a name or an address.
[[nodiscard]] std::expected<void, HostPortError> check_host(std::string_view text);

// A port in plain decimal, 1 to 65535.
[[nodiscard]] std::expected<std::uint16_t, HostPortError> parse_port_number(std::string_view text);

}  // namespace sidestream
