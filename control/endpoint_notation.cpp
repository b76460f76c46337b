#include "control/endpoint_notation.h"

#include <algorithm>
#include <charconv>

#include "streams/ip_address.h"
#include "streams/message_text.h"

namespace sidestream::control {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(std::string_view text) {
  if (text.starts_with('[')) return true;
  return IpAddress::parse(text) || SocketAddress::parse(text);
}

std::string_view advice_on_name(std::string_view name, ServerNameError error) {
  if (error != ServerNameError::bad_character) return text_of(error);
  if (name.contains('*')) return "a star stands alone at the start, as in *.example.com";
  const bool ascii = std::ranges::all_of(name, [](char c) { return (c & '\x80') == 0; });
  return ascii ? text_of(error) : "write an international name in its xn-- form";
}

}  // namespace

std::string endpoint_error(std::string_view text, std::string_view what) {
  return in_quotes(text) + ": " + std::string(what);
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view digits,
                                                     std::string_view text) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!all_digits(digits) || !whole || port == 0 || port > 65535)
    return std::unexpected(endpoint_error(text, "a port is a number from 1 to 65535"));
  return static_cast<std::uint16_t>(port);
}

std::expected<EndpointParts, std::string> split_endpoint(std::string_view text) {
  const auto fail = [text](std::string_view what) {
    return std::unexpected(endpoint_error(text, what));
  };
  if (text.empty()) return fail("an endpoint is NAME, NAME:PORT or :PORT");
  if (text.contains("://") || text.contains('/'))
    return fail("an endpoint is a name and a port, not a URL: write NAME, NAME:PORT or :PORT");
  if (is_address(text))
    return fail("an endpoint has a name, not an address: write NAME, NAME:PORT or :PORT");

  const std::size_t colon = text.find(':');
  EndpointParts parts;
  if (colon != std::string_view::npos) parts.ports = text.substr(colon + 1);
  if (colon == 0) return parts;

  const std::string_view name = text.substr(0, colon);
  const auto parsed = ServerName::parse_with_wildcard(name);
  if (!parsed) return fail(advice_on_name(name, parsed.error()));
  if (parsed->text().find_first_not_of("0123456789-") == std::string::npos)
    return fail(parts.ports ? "a name is not only digits: write NAME:PORT or :PORT"
                            : "a port alone is written with a colon: write :PORT");
  if (parsed->text().find_first_not_of("0123456789-.*") == std::string::npos)
    return fail("an endpoint has a name, not an address: write NAME, NAME:PORT or :PORT");
  parts.name = *parsed;
  return parts;
}

}  // namespace sidestream::control
