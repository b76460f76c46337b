#include "streams/address_watch_io.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace sidestream {
namespace {

constexpr std::size_t message_bytes_max = 16384;

template <typename T>
std::optional<T> content_of(Bytes message) {
  T content{};
  if (message.size() < sizeof(nlmsghdr) + sizeof content) return std::nullopt;
  std::memcpy(&content, &message[sizeof(nlmsghdr)], sizeof content);
  return content;
}

bool matters(std::uint16_t type, Bytes message) {
  switch (type) {
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const auto address = content_of<ifaddrmsg>(message);
      return address && address->ifa_scope == RT_SCOPE_UNIVERSE;
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const auto route = content_of<rtmsg>(message);
      return route && route->rtm_table == RT_TABLE_MAIN && route->rtm_type == RTN_UNICAST &&
             (route->rtm_flags & RTM_F_CLONED) == 0;
    }
    default:
      return false;
  }
}

class KernelAddressWatch final : public AddressWatch {
 public:
  KernelAddressWatch(const asio::any_io_executor& executor, UniqueFd fd)
      : descriptor_(executor, std::move(fd)) {}

  Task<> wait_changed() override {
    while (!take_changes()) {
      co_await descriptor_.wait_readable();
      if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "address watch");
    }
  }

 private:
  // Takes everything that was told so far.
  bool take_changes() {
    bool changed = false;
    alignas(nlmsghdr) std::array<std::uint8_t, message_bytes_max> buffer;
    for (;;) {
      const auto bytes = ::recv(descriptor_.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (bytes > 0) {
        changed |= tells_of_change(Bytes(buffer).first(static_cast<std::size_t>(bytes)));
        continue;
      }
      if (bytes < 0 && errno == EINTR) continue;
      // More was told than the socket could hold: something has changed.
      if (bytes < 0 && errno == ENOBUFS) {
        changed = true;
        continue;
      }
      return changed;
    }
  }

  Descriptor descriptor_;
};

}  // namespace

bool tells_of_change(Bytes messages) {
  while (messages.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, messages.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) return false;
    if (matters(header.nlmsg_type, messages.first(header.nlmsg_len))) return true;
    const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
    messages = messages.subspan(std::min(step, messages.size()));
  }
  return false;
}

std::unique_ptr<AddressWatch> open_address_watch(const asio::any_io_executor& executor) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return nullptr;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  const void* any = &address;
  if (::bind(fd.get(), static_cast<const sockaddr*>(any), sizeof address) != 0) return nullptr;
  return std::make_unique<KernelAddressWatch>(executor, std::move(fd));
}

}  // namespace sidestream
