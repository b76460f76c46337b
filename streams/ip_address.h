// IPv4 and IPv6 addresses, with port and as prefix, as plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "streams/bytes.h"

namespace sidestream {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is a value of its own; `unmapped()` turns
// it into IPv4, which is what every address that came from a dual-stack socket must go through.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  // Text form: dotted quad or RFC 4291, without brackets, zone or port. Nothing else is accepted.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return !v6_; }
  [[nodiscard]] bool is_v6() const { return v6_; }
  // 4 or 16 bytes in network order. The view lives as long as the address.
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(v6_ ? 16 : 4); }
  [[nodiscard]] unsigned bits() const { return v6_ ? 128 : 32; }
  [[nodiscard]] std::uint32_t v4_host_order() const;
  [[nodiscard]] IpAddress unmapped() const;
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] std::string text() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 uses the first four, the rest stays zero
};

// An address and a port, as sockets use them. Text form: `192.0.2.1:80`, `[2001:db8::1]:80`.
struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;

  static std::optional<SocketAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  auto operator<=>(const SocketAddress&) const = default;
};

// A network. Host bits are cleared when it is made. Text form: `10.0.0.0/8`; an address alone is
// a prefix of full length.
class IpPrefix {
 public:
  IpPrefix() = default;  // 0.0.0.0/0
  // `length` beyond the family's bits is cut to them.
  IpPrefix(const IpAddress& address, unsigned length);
  static std::optional<IpPrefix> parse(std::string_view text);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned length() const { return length_; }
  // Whether it is a single address.
  [[nodiscard]] bool is_host() const { return length_ == address_.bits(); }
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] std::string text() const;
  auto operator<=>(const IpPrefix&) const = default;

 private:
  IpAddress address_;
  unsigned length_ = 0;
};

}  // namespace sidestream

template <>
struct std::hash<sidestream::IpAddress> {
  std::size_t operator()(const sidestream::IpAddress& address) const noexcept {
    return std::hash<std::string_view>{}(sidestream::text_of(address.bytes()));
  }
};

template <>
struct std::hash<sidestream::SocketAddress> {
  std::size_t operator()(const sidestream::SocketAddress& address) const noexcept {
    return std::hash<sidestream::IpAddress>{}(address.address) * 31U + address.port;
  }
};
