#include "streams/proxy_header.h"

#include <algorithm>

namespace sidestream {
namespace {

// Section 2.2: version and command, family and transport.
constexpr std::uint8_t v2_local = 0x20;
constexpr std::uint8_t v2_proxy = 0x21;
constexpr std::uint8_t v2_tcp_over_ipv4 = 0x11;
constexpr std::uint8_t v2_tcp_over_ipv6 = 0x21;

IpAddress mapped(const IpAddress& address) {
  if (address.is_v6()) return address;
  std::array<std::uint8_t, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::ranges::copy(address.bytes(), bytes.begin() + 12);
  return IpAddress::v6(bytes);
}

// Both addresses in one family, which is all that the protocol can say.
struct AddressPair {
  SocketAddress source;
  SocketAddress destination;

  AddressPair(const SocketAddress& from, const SocketAddress& to) : source(from), destination(to) {
    if (source.address.is_v4() == destination.address.is_v4()) return;
    source.address = mapped(source.address);
    destination.address = mapped(destination.address);
  }
  [[nodiscard]] bool is_v4() const { return source.address.is_v4(); }
};

}  // namespace

std::optional<std::string_view> ProxyHeader::authority() const {
  const auto tlv =
      std::ranges::find(tlvs, static_cast<std::uint8_t>(ProxyTlvType::authority), &ProxyTlv::type);
  if (tlv == tlvs.end()) return std::nullopt;
  return text_of(tlv->value);
}

std::vector<std::uint8_t> serialize_proxy_v2(const SocketAddress& source,
                                             const SocketAddress& destination,
                                             const std::optional<ServerName>& authority) {
  const AddressPair pair(source, destination);
  std::array<std::uint8_t, proxy_header_portable_bytes> buffer{};
  ByteWriter writer(buffer);
  writer.bytes(proxy_v2_signature);
  writer.u8(v2_proxy);
  writer.u8(pair.is_v4() ? v2_tcp_over_ipv4 : v2_tcp_over_ipv6);
  const MutableBytes length = writer.reserve(2);
  writer.bytes(pair.source.address.bytes());
  writer.bytes(pair.destination.address.bytes());
  writer.u16(pair.source.port);
  writer.u16(pair.destination.port);
  constexpr std::size_t tlv_header_bytes = 3;
  if (authority && tlv_header_bytes + authority->text().size() <= writer.room()) {
    writer.u8(static_cast<std::uint8_t>(ProxyTlvType::authority));
    writer.u16(static_cast<std::uint16_t>(authority->text().size()));
    writer.bytes(bytes_of(authority->text()));
  }
  ByteWriter(length).u16(static_cast<std::uint16_t>(writer.size() - proxy_v2_fixed_bytes));
  const Bytes written = writer.written();
  return {written.begin(), written.end()};
}

std::array<std::uint8_t, 16> serialize_proxy_v2_local() {
  std::array<std::uint8_t, proxy_v2_fixed_bytes> header{};
  std::ranges::copy(proxy_v2_signature, header.begin());
  header[12] = v2_local;
  return header;
}

std::string serialize_proxy_v1(const SocketAddress& source, const SocketAddress& destination) {
  const AddressPair pair(source, destination);
  return std::string(pair.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ") + pair.source.address.text() +
         " " + pair.destination.address.text() + " " + std::to_string(pair.source.port) + " " +
         std::to_string(pair.destination.port) + "\r\n";
}

}  // namespace sidestream
