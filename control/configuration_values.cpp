#include "control/configuration_values.h"

#include <algorithm>

#include "streams/message_text.h"
#include "streams/quantity.h"
#include "tunnel/crypto.h"

namespace sidestream::control {
namespace {

constexpr std::string_view key_form = "a key of 44 characters as `sidestream keygen` prints it";

// Private and preshared keys: nothing of what is there may appear in a message.
template <typename Key>
std::optional<Key> read_secret_key(const ConfigurationValue& value) {
  const auto text = value.secret();
  if (!text) return std::nullopt;
  auto key = Key::parse(text->reveal());
  if (!key || key->is_zero()) {
    value.fail("expected " + std::string(key_form) + " (what is there is not shown)");
    return std::nullopt;
  }
  return key;
}

}  // namespace

std::optional<HostPort> read_host_port(const ConfigurationValue& value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  auto endpoint = HostPort::parse(*text);
  if (endpoint) return std::move(*endpoint);
  value.fail_parsing(in_quotes(*text) + ": " + std::string(text_of(endpoint.error())));
  return std::nullopt;
}

std::optional<tunnel::PublicKey> read_public_key(const ConfigurationValue& value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  const auto key = tunnel::PublicKey::parse(*text);
  if (!key) {
    value.fail_expected(key_form);
  } else if (tunnel::is_low_order(*key)) {
    value.fail("no private key has this public key; `sidestream keygen` makes a pair");
    return std::nullopt;
  }
  return key;
}

std::optional<tunnel::PrivateKey> read_private_key(const ConfigurationValue& value) {
  return read_secret_key<tunnel::PrivateKey>(value);
}

std::optional<tunnel::PresharedKey> read_preshared_key(const ConfigurationValue& value) {
  return read_secret_key<tunnel::PresharedKey>(value);
}

std::optional<IpAddress> read_tunnel_address(const ConfigurationValue& value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  const auto address = IpAddress::parse(*text);
  if (address && !address->is_unspecified() && !address->is_loopback() && !address->is_multicast())
    return address;
  value.fail_expected("an address inside the tunnel, such as 10.86.0.2");
  return std::nullopt;
}

std::optional<double> read_rate(const ConfigurationValue& value) {
  constexpr std::int64_t rate_max = 1'000'000;
  const auto text = value.text();
  if (!text) return std::nullopt;
  const std::size_t slash = text->find('/');
  const auto count = parse_whole_number(std::string_view(*text).substr(0, slash));
  const std::string_view unit =
      slash == std::string::npos ? "" : std::string_view(*text).substr(slash + 1);
  const bool in_range = count && *count >= 1 && *count <= rate_max;
  if (in_range && unit == "s") return static_cast<double>(*count);
  if (in_range && unit == "m") return static_cast<double>(*count) / 60;
  value.fail_expected("a rate such as 10/s or 600/m");
  return std::nullopt;
}

std::optional<std::size_t> read_memory_limit(const ConfigurationValue& value) {
  constexpr std::uint64_t least = 32UL << 20U;
  constexpr std::uint64_t most = 1UL << 45U;
  const auto bytes = value.size(least, most);
  if (!bytes) return std::nullopt;
  return static_cast<std::size_t>(*bytes);
}

bool is_plain_name(std::string_view name) {
  constexpr std::size_t bytes_max = 63;
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= bytes_max && is_alphanumeric(name.front()) &&
         std::ranges::all_of(name,
                             [&](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace sidestream::control
