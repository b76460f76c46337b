// WireGuard's keys and timestamps as values, and their base 64 text form (44 characters, as `wg`
// prints them).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "streams/bytes.h"
#include "streams/secret.h"

namespace sidestream::tunnel {

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};

  static std::optional<PublicKey> parse(std::string_view base64);
  [[nodiscard]] std::string text() const;
  auto operator<=>(const PublicKey&) const = default;
};

struct PrivateKey : Secret<32> {
  using Secret::Secret;
  static std::optional<PrivateKey> parse(std::string_view base64);
};

struct PresharedKey : Secret<32> {
  using Secret::Secret;
  static std::optional<PresharedKey> parse(std::string_view base64);
};

// TAI64N, 12 bytes, big-endian; compares as bytes (section 5.1 of the WireGuard paper).
struct Timestamp {
  std::array<std::uint8_t, 12> bytes{};
  auto operator<=>(const Timestamp&) const = default;
};

}  // namespace sidestream::tunnel

template <>
struct std::hash<sidestream::tunnel::PublicKey> {
  std::size_t operator()(const sidestream::tunnel::PublicKey& key) const noexcept {
    return std::hash<std::string_view>{}(sidestream::text_of(key.bytes));
  }
};
