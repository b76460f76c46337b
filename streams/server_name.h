// The names that streams are routed by, normalised in one place: what a client puts into its
// ClientHello (RFC 6066 section 3) and what an endpoint says meet as equal values or not at all.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sidestream {

enum class ServerNameError : std::uint8_t {
  empty,
  too_long,        // more than 253 bytes without the trailing dot (RFC 1035 section 2.3.4)
  empty_label,     // two dots in a row, a dot at the start, or nothing but a dot
  label_too_long,  // a label of more than 63 bytes
  bad_character,   // NUL, white space, `*`, `:`, bytes outside ASCII, …
};
// For a person, to follow the name in quotes and a colon.
[[nodiscard]] std::string_view text_of(ServerNameError error);

// A host name in the one form in which names are compared: lower-case ASCII, no trailing dot,
// labels of 1 to 63 letters, digits, hyphens and underscores, 253 bytes at most. IPv4 literals have
// that form too: a client that sends one is routed by its text, which no endpoint can claim.
//
// It may also be a wildcard, `*.example.com`, which stands for exactly one label in place of the
// star. A value of this type is never anything else; there is no empty one.
class ServerName {
 public:
  static constexpr std::size_t bytes_max = 253;
  static constexpr std::size_t label_bytes_max = 63;

  // What a client may send: no wildcard.
  static std::expected<ServerName, ServerNameError> parse(std::string_view text);
  // What an endpoint may be called: a leading `*.` is allowed.
  static std::expected<ServerName, ServerNameError> parse_with_wildcard(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_wildcard() const { return text_.front() == '*'; }
  // `192.0.2.1` and the like: four labels of nothing but digits.
  [[nodiscard]] bool is_ip_literal() const;
  // The one wildcard that matches this name: `*.example.com` for `www.example.com`, none for a
  // name of a single label, for a wildcard, or when it would be too long.
  [[nodiscard]] std::optional<ServerName> wildcard() const;
  // Whether this, as an endpoint's name, takes streams for `name`: equal, or one label below the
  // wildcard.
  [[nodiscard]] bool matches(const ServerName& name) const;

  auto operator<=>(const ServerName&) const = default;

 private:
  explicit ServerName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace sidestream

template <>
struct std::hash<sidestream::ServerName> {
  std::size_t operator()(const sidestream::ServerName& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
