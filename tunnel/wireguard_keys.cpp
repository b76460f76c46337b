#include "tunnel/wireguard_keys.h"

#include <algorithm>

#include "streams/base64.h"

namespace sidestream::tunnel {
namespace {

template <typename Key>
std::optional<Key> parse_secret(std::string_view base64) {
  auto bytes = parse_base64(base64);
  if (!bytes) return std::nullopt;
  std::optional<Key> key;
  if (bytes->size() == Key::size) key.emplace(std::span<const std::uint8_t, Key::size>(*bytes));
  wipe(*bytes);
  return key;
}

}  // namespace

std::optional<PublicKey> PublicKey::parse(std::string_view base64) {
  const auto bytes = parse_base64(base64);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  PublicKey key;
  std::ranges::copy(*bytes, key.bytes.begin());
  return key;
}

std::string PublicKey::text() const {
  return serialize_base64(bytes);
}

std::optional<PrivateKey> PrivateKey::parse(std::string_view base64) {
  return parse_secret<PrivateKey>(base64);
}

std::optional<PresharedKey> PresharedKey::parse(std::string_view base64) {
  return parse_secret<PresharedKey>(base64);
}

}  // namespace sidestream::tunnel
