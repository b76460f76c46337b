#include "streams/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace sidestream {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename Integer>
std::optional<Integer> parse_decimal(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  ByteWriter(address.bytes_).u32(host_order);
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  IpAddress address;
  address.v6_ = true;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) return address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) {
    address.v6_ = true;
    return address;
  }
  return std::nullopt;
}

std::uint32_t IpAddress::v4_host_order() const {
  return ByteReader(bytes()).u32();
}

IpAddress IpAddress::unmapped() const {
  if (!v6_ || !std::ranges::equal(Bytes(bytes_).first(12), v4_mapped_prefix)) return *this;
  return v4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return std::ranges::all_of(Bytes(bytes_).first(15),
                             [](std::uint8_t byte) { return byte == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_multicast() const {
  return v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0U) == 0xe0;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port || address->is_v6() != bracketed) return std::nullopt;
  return SocketAddress{*address, *port};
}

std::string SocketAddress::text() const {
  const std::string host = address.is_v6() ? "[" + address.text() + "]" : address.text();
  return host + ":" + std::to_string(port);
}

IpPrefix::IpPrefix(const IpAddress& address, unsigned length)
    : length_(std::min(length, address.bits())) {
  std::array<std::uint8_t, 16> masked{};
  std::ranges::copy(address.bytes(), masked.begin());
  for (unsigned bit = length_; bit < address.bits(); ++bit)
    masked[bit / 8] = static_cast<std::uint8_t>(masked[bit / 8] & ~(0x80U >> (bit % 8)));
  address_ = address.is_v6() ? IpAddress::v6(masked)
                             : IpAddress::v4({masked[0], masked[1], masked[2], masked[3]});
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpPrefix(*address, address->bits());
  const auto length = parse_decimal<unsigned>(text.substr(slash + 1));
  if (!length || *length > address->bits()) return std::nullopt;
  return IpPrefix(*address, *length);
}

bool IpPrefix::contains(const IpAddress& address) const {
  if (address.is_v6() != address_.is_v6()) return false;
  const unsigned whole = length_ / 8;
  if (!std::ranges::equal(address.bytes().first(whole), address_.bytes().first(whole)))
    return false;
  if (length_ % 8 == 0) return true;
  const unsigned mask = 0xffU & (0xff00U >> (length_ % 8));
  return (address.bytes()[whole] & mask) == address_.bytes()[whole];
}

std::string IpPrefix::text() const {
  return address_.text() + "/" + std::to_string(length_);
}

}  // namespace sidestream
