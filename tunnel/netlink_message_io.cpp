#include "tunnel/netlink_message_io.h"

#include <array>
#include <string>

namespace sidestream::tunnel {

void NetlinkMessage::append(const void* from, std::size_t size) {
  const auto* const bytes = static_cast<const std::uint8_t*>(from);
  bytes_.insert(bytes_.end(), bytes, bytes + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void NetlinkMessage::put(std::uint16_t type, Bytes value) {
  nlattr attribute{};
  attribute.nla_type = type;
  attribute.nla_len = static_cast<std::uint16_t>(sizeof attribute + value.size());
  append(&attribute, sizeof attribute);
  append(value.data(), value.size());
}

void NetlinkMessage::put_u32_be(std::uint16_t type, std::uint32_t value) {
  const std::array<std::uint8_t, 4> bytes{
      static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
      static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
  put(type, bytes);
}

void NetlinkMessage::put_text(std::uint16_t type, std::string_view text) {
  const std::string terminated(text);
  put(type, bytes_of({terminated.c_str(), terminated.size() + 1}));
}

Bytes NetlinkMessage::finish(std::uint32_t sequence) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

bool NetlinkMessage::wants_answer() const {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  return (header.nlmsg_flags & NLM_F_ACK) != 0;
}

Bytes find_attribute(Bytes attributes, std::uint16_t type) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr attribute{};
    std::memcpy(&attribute, attributes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > attributes.size()) return {};
    if ((attribute.nla_type & NLA_TYPE_MASK) == type)
      return attributes.subspan(sizeof attribute, attribute.nla_len - sizeof attribute);
    const std::size_t step = NLA_ALIGN(attribute.nla_len);
    attributes = attributes.subspan(std::min(step, attributes.size()));
  }
  return {};
}

}  // namespace sidestream::tunnel
