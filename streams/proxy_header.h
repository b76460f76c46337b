// The PROXY protocol, versions 1 and 2 (The PROXY protocol, Willy Tarreau, 2020/03/05, section 2):
// how a router tells the one behind it which client a stream comes from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/server_name.h"

namespace sidestream {

// Section 2.2.1 to 2.2.7.
enum class ProxyTlvType : std::uint8_t {
  alpn = 0x01,
  authority = 0x02,
  crc32c = 0x03,
  no_op = 0x04,
  unique_id = 0x05,
  ssl = 0x20,
  netns = 0x30,
};

struct ProxyTlv {
  std::uint8_t type = 0;
  std::vector<std::uint8_t> value;
};

struct ProxyHeader {
  enum class Command : std::uint8_t {
    local,  // the sender speaks for itself (a health check): no client, open no backend
    proxy,
  };
  enum class Transport : std::uint8_t { unspecified, stream, datagram };

  unsigned version = 2;
  Command command = Command::proxy;
  Transport transport = Transport::stream;
  // Client, and the address it connected to. Both or none; none (LOCAL, UNKNOWN, an unspecified
  // family, Unix sockets): what the connection itself says counts. IPv4-mapped addresses are kept
  // as they were sent.
  std::optional<SocketAddress> source;
  std::optional<SocketAddress> destination;
  std::vector<ProxyTlv> tlvs;  // in order; version 2 only

  // The text of the first AUTHORITY TLV: the server name that the sender has read.
  [[nodiscard]] std::optional<std::string_view> authority() const;
};

// Section 2.2.
inline constexpr std::array<std::uint8_t, 12> proxy_v2_signature{
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
inline constexpr std::size_t proxy_v2_fixed_bytes = 16;

// What NGINX 1.22 and the specification's own advice take at most; ours stay within it.
inline constexpr std::size_t proxy_header_portable_bytes = 107;

// Version 2 for a TCP stream. The AUTHORITY TLV is left out when the header would get longer than
// proxy_header_portable_bytes with it. Addresses of two families are both sent as IPv6.
[[nodiscard]] std::vector<std::uint8_t> serialize_proxy_v2(
    const SocketAddress& source, const SocketAddress& destination,
    const std::optional<ServerName>& authority = std::nullopt);
// LOCAL of length 0, which every receiver takes.
[[nodiscard]] std::array<std::uint8_t, 16> serialize_proxy_v2_local();
// Version 1, with CRLF.
[[nodiscard]] std::string serialize_proxy_v1(const SocketAddress& source,
                                             const SocketAddress& destination);

}  // namespace sidestream
