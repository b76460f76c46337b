#include "tunnel/interface_messages_io.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "tunnel/netlink_socket_io.h"

namespace sidestream::tunnel {
namespace {

template <typename Fixed>
Fixed fixed_part(Bytes message) {
  Fixed fixed{};
  if (message.size() >= sizeof(nlmsghdr) + sizeof fixed)
    std::memcpy(&fixed, &message[sizeof(nlmsghdr)], sizeof fixed);
  return fixed;
}

template <typename Fixed>
Bytes attributes_of(Bytes message) {
  const std::size_t at = sizeof(nlmsghdr) + NLMSG_ALIGN(sizeof(Fixed));
  return at <= message.size() ? message.subspan(at) : Bytes();
}

std::string text_in(Bytes attribute) {
  const std::string_view text = text_of(attribute);
  return std::string(text.substr(0, text.find('\0')));
}

std::uint8_t family_of_address(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

void change_link(int index, unsigned flags, const std::function<void(NetlinkMessage&)>& fill) {
  ifinfomsg link{};
  link.ifi_index = index;
  link.ifi_flags = flags;
  link.ifi_change = flags;
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK, link);
  fill(message);
  NetlinkSocket(NETLINK_ROUTE).request(std::move(message));
}

void change_route(std::uint16_t type, std::uint16_t flags, int index, const IpPrefix& to) {
  rtmsg route{};
  route.rtm_family = family_of_address(to.address());
  route.rtm_dst_len = static_cast<std::uint8_t>(to.length());
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_LINK;
  route.rtm_type = RTN_UNICAST;
  NetlinkMessage message(type, static_cast<std::uint16_t>(flags | NLM_F_ACK), route);
  message.put(RTA_DST, to.address().bytes());
  message.put_number(RTA_OIF, index);
  NetlinkSocket(NETLINK_ROUTE).request(std::move(message));
}

}  // namespace

std::optional<InterfaceFacts> find_interface(const std::string& name) {
  NetlinkMessage question(RTM_GETLINK, 0, ifinfomsg{});
  question.put_text(IFLA_IFNAME, name);
  std::vector<std::vector<std::uint8_t>> answers;
  try {
    answers = NetlinkSocket(NETLINK_ROUTE).ask(std::move(question));
  } catch (const system_error& error) {
    if (error.code() == boost::system::errc::no_such_device) return std::nullopt;
    throw;
  }
  if (answers.empty()) return std::nullopt;
  const Bytes attributes = attributes_of<ifinfomsg>(answers.front());
  return InterfaceFacts{
      .index = fixed_part<ifinfomsg>(answers.front()).ifi_index,
      .kind = text_in(find_attribute(find_attribute(attributes, IFLA_LINKINFO), IFLA_INFO_KIND)),
      .alias = text_in(find_attribute(attributes, IFLA_IFALIAS))};
}

std::vector<InterfaceAddress> interface_addresses() {
  NetlinkMessage question(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  std::vector<InterfaceAddress> all;
  for (const auto& answer : NetlinkSocket(NETLINK_ROUTE).ask(std::move(question))) {
    const auto fixed = fixed_part<ifaddrmsg>(answer);
    const Bytes attributes = attributes_of<ifaddrmsg>(answer);
    Bytes bytes = find_attribute(attributes, IFA_LOCAL);
    if (bytes.empty()) bytes = find_attribute(attributes, IFA_ADDRESS);
    InterfaceAddress one{.index = static_cast<int>(fixed.ifa_index), .address = {}};
    if (bytes.size() == 4) {
      one.address = IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    } else if (bytes.size() == 16) {
      std::array<std::uint8_t, 16> whole{};
      std::ranges::copy(bytes, whole.begin());
      one.address = IpAddress::v6(whole);
    }
    all.push_back(one);
  }
  return all;
}

void set_interface_alias(int index, const std::string& alias) {
  change_link(index, 0,
              [&](NetlinkMessage& message) { message.put(IFLA_IFALIAS, bytes_of(alias)); });
}

void bring_interface_up(int index, std::size_t mtu) {
  change_link(index, 0, [&](NetlinkMessage& message) {
    message.put_number(IFLA_MTU, static_cast<std::uint32_t>(mtu));
  });
  change_link(index, IFF_UP, [](NetlinkMessage&) {});
}

void add_interface_address(int index, const IpAddress& address) {
  ifaddrmsg fixed{};
  fixed.ifa_family = family_of_address(address);
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(address.bits());
  fixed.ifa_index = static_cast<unsigned>(index);
  // Nobody else can have it, so that it need not be looked for (RFC 4862 section 5.4).
  if (address.is_v6()) fixed.ifa_flags = IFA_F_NODAD;
  NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, fixed);
  message.put(IFA_LOCAL, address.bytes());
  message.put(IFA_ADDRESS, address.bytes());
  NetlinkSocket(NETLINK_ROUTE).request(std::move(message));
}

void add_interface_route(int index, const IpPrefix& to) {
  change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, to);
}

void remove_interface_route(int index, const IpPrefix& to) noexcept {
  try {
    change_route(RTM_DELROUTE, 0, index, to);
  } catch (const system_error&) {
    // It went with the interface, or somebody removed it.
  }
}

}  // namespace sidestream::tunnel
