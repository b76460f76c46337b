// A netlink message as it is built: header, the family's own fixed part, attributes (netlink(7)).
#pragma once

#include <linux/netlink.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "streams/bytes.h"

namespace sidestream::tunnel {

class NetlinkMessage {
 public:
  // NLM_F_REQUEST is always in.
  template <typename Fixed>
  NetlinkMessage(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    append(&header, sizeof header);
    append(&fixed, sizeof fixed);
  }

  void put(std::uint16_t type, Bytes value);
  // Host order, as rtnetlink wants it.
  template <std::integral T>
  void put_number(std::uint16_t type, T value) {
    std::array<std::uint8_t, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    put(type, bytes);
  }
  // Network order, as netfilter wants it.
  void put_u32_be(std::uint16_t type, std::uint32_t value);
  void put_text(std::uint16_t type, std::string_view text);  // with its terminator
  // What `fill` puts is inside of this attribute.
  template <typename Fill>
  void put_nested(std::uint16_t type, Fill fill) {
    const std::size_t start = bytes_.size();
    put(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
    fill();
    const auto length = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(&bytes_[start], &length, sizeof length);
  }

  // The whole of it, with its length and this sequence number.
  [[nodiscard]] Bytes finish(std::uint32_t sequence);
  [[nodiscard]] bool wants_answer() const;

 private:
  void append(const void* from, std::size_t size);

  std::vector<std::uint8_t> bytes_;
};

// The attributes behind a message's fixed part: the value of one type; empty when it is not there.
[[nodiscard]] Bytes find_attribute(Bytes attributes, std::uint16_t type);

}  // namespace sidestream::tunnel
