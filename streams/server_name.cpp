#include "streams/server_name.h"

#include <algorithm>
#include <utility>

namespace sidestream {
namespace {

constexpr std::string_view wildcard_prefix = "*.";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Not std::tolower: it asks the locale, and a name must not change with it.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

std::expected<std::string, ServerNameError> normalize(std::string_view text) {
  if (text.empty()) return std::unexpected(ServerNameError::empty);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > ServerName::bytes_max) return std::unexpected(ServerNameError::too_long);

  std::string name(text);
  std::size_t label_bytes = 0;
  for (char& c : name) {
    c = lower(c);
    if (c == '.') {
      if (label_bytes == 0) return std::unexpected(ServerNameError::empty_label);
      label_bytes = 0;
      continue;
    }
    if (!is_name_character(c)) return std::unexpected(ServerNameError::bad_character);
    if (++label_bytes > ServerName::label_bytes_max)
      return std::unexpected(ServerNameError::label_too_long);
  }
  if (label_bytes == 0) return std::unexpected(ServerNameError::empty_label);
  return name;
}

}  // namespace

std::string_view text_of(ServerNameError error) {
  switch (error) {
    case ServerNameError::empty:
      return "a name is expected";
    case ServerNameError::too_long:
      return "a name has at most 253 bytes";
    case ServerNameError::empty_label:
      return "there is nothing before, after or between its dots";
    case ServerNameError::label_too_long:
      return "the parts between dots have at most 63 bytes";
    case ServerNameError::bad_character:
      return "a name is made of letters, digits, hyphens, underscores and dots";
  }
  std::unreachable();
}

std::expected<ServerName, ServerNameError> ServerName::parse(std::string_view text) {
  auto name = normalize(text);
  if (!name) return std::unexpected(name.error());
  return ServerName(std::move(*name));
}

std::expected<ServerName, ServerNameError> ServerName::parse_with_wildcard(std::string_view text) {
  if (!text.starts_with(wildcard_prefix)) return parse(text);
  auto parent = normalize(text.substr(wildcard_prefix.size()));
  if (!parent) return std::unexpected(parent.error());
  if (parent->size() + wildcard_prefix.size() > bytes_max)
    return std::unexpected(ServerNameError::too_long);
  return ServerName(std::string(wildcard_prefix) + *parent);
}

bool ServerName::is_ip_literal() const {
  return std::ranges::count(text_, '.') == 3 &&
         std::ranges::all_of(text_, [](char c) { return is_digit(c) || c == '.'; });
}

std::optional<ServerName> ServerName::wildcard() const {
  const std::size_t dot = text_.find('.');
  if (is_wildcard() || dot == std::string::npos) return std::nullopt;
  std::string wildcard = "*" + text_.substr(dot);
  if (wildcard.size() > bytes_max) return std::nullopt;
  return ServerName(std::move(wildcard));
}

bool ServerName::matches(const ServerName& name) const {
  if (*this == name) return true;
  const std::optional<ServerName> wildcard = name.wildcard();
  return wildcard && *this == *wildcard;
}

}  // namespace sidestream
