#include "streams/host_port.h"

#include <algorithm>
#include <charconv>

#include "streams/ip_address.h"

namespace sidestream {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// Underscores: names of containers have them.
bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         is_digit(character) || character == '-' || character == '_' || character == '.';
}

}  // namespace

std::string_view text_of(HostPortError error) {
  switch (error) {
    case HostPortError::no_host:
      return "the host is missing; write HOST:PORT";
    case HostPortError::no_port:
      return "the port is missing; write HOST:PORT";
    case HostPortError::bad_port:
      return "the port must be a number from 1 to 65535";
    case HostPortError::bad_host:
      return "the host must be a name of letters, digits, dots, hyphens and underscores, or an "
             "address";
    case HostPortError::no_brackets:
      return "an IPv6 address needs brackets; write [ADDRESS]:PORT";
    case HostPortError::bad_address:
      return "the host looks like an address, but is not a valid one";
    case HostPortError::host_too_long:
      return "the host is longer than 253 characters";
  }
  return "";
}

std::expected<void, HostPortError> check_host(std::string_view text) {
  if (text.empty()) return std::unexpected(HostPortError::no_host);
  if (IpAddress::parse(text)) return {};
  if (text.contains(':')) return std::unexpected(HostPortError::bad_address);
  if (text.size() > HostPort::host_bytes_max) return std::unexpected(HostPortError::host_too_long);
  if (!std::ranges::all_of(text, is_name_character))
    return std::unexpected(HostPortError::bad_host);
  if (text.starts_with('.') || text.contains("..")) return std::unexpected(HostPortError::bad_host);
  // No top-level name is a number, so a last label of digits is a mistyped IPv4 address.
  std::string_view last = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  last = last.substr(last.rfind('.') + 1);
  if (std::ranges::all_of(last, is_digit)) return std::unexpected(HostPortError::bad_address);
  return {};
}

std::expected<std::uint16_t, HostPortError> parse_port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || text.front() == '0')
    return std::unexpected(HostPortError::bad_port);
  return port;
}

std::expected<HostPort, HostPortError> HostPort::parse(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t colon = bracketed ? text.find("]:") : text.rfind(':');
  if (colon == std::string_view::npos) {
    const bool is_address = IpAddress::parse(text).has_value();
    if (text.empty()) return std::unexpected(HostPortError::no_host);
    if (!bracketed && !is_address && !check_host(text))
      return std::unexpected(HostPortError::bad_host);
    return std::unexpected(HostPortError::no_port);
  }
  const std::string_view host = bracketed ? text.substr(1, colon - 1) : text.substr(0, colon);
  const std::string_view digits = text.substr(colon + (bracketed ? 2 : 1));
  if (!bracketed && host.contains(':')) return std::unexpected(HostPortError::no_brackets);
  if (const auto fine = check_host(host); !fine) return std::unexpected(fine.error());
  if (bracketed && !host.contains(':')) return std::unexpected(HostPortError::bad_address);
  const auto port = parse_port_number(digits);
  if (!port)
    return std::unexpected(digits.empty() ? HostPortError::no_port : HostPortError::bad_port);
  return HostPort{std::string(host), *port};
}

std::string HostPort::text() const {
  const std::string bracketed = host.contains(':') ? "[" + host + "]" : host;
  return bracketed + ":" + std::to_string(port);
}

}  // namespace sidestream
