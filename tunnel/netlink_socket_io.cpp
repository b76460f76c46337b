#include "tunnel/netlink_socket_io.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t datagram_bytes_max = 65536;
constexpr timeval answer_time{.tv_sec = 5, .tv_usec = 0};

// Calls `take` with each message of a datagram.
template <typename Take>
void for_each_message(Bytes datagram, Take take) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return;
    take(header, datagram.first(header.nlmsg_len));
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
}

// Throws what an error message says; an error of 0 is an acknowledgement.
void check(const nlmsghdr& header, Bytes message) {
  if (header.nlmsg_type != NLMSG_ERROR) return;
  nlmsgerr error{};
  if (message.size() < sizeof header + sizeof error.error) return;
  std::memcpy(&error.error, &message[sizeof header], sizeof error.error);
  if (error.error != 0) throw_error({-error.error, boost::system::system_category()}, "netlink");
}

}  // namespace

NetlinkSocket::NetlinkSocket(int protocol)
    : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)) {
  if (!fd_) throw_error(last_system_error(), "netlink");
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &answer_time, sizeof answer_time);
}

void NetlinkSocket::send(std::span<NetlinkMessage> messages) {
  std::vector<std::uint8_t> all;
  std::uint32_t sequence = 0;
  for (NetlinkMessage& message : messages) {
    const Bytes bytes = message.finish(sequence++);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  if (::send(fd_.get(), all.data(), all.size(), 0) < 0) throw_error(last_system_error(), "netlink");
}

std::vector<std::uint8_t> NetlinkSocket::receive() {
  std::vector<std::uint8_t> datagram(datagram_bytes_max);
  for (;;) {
    const auto size = ::recv(fd_.get(), datagram.data(), datagram.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw_error(last_system_error(), "netlink");
    datagram.resize(static_cast<std::size_t>(size));
    return datagram;
  }
}

void NetlinkSocket::request(std::span<NetlinkMessage> messages) {
  send(messages);
  auto missing = std::ranges::count_if(messages, &NetlinkMessage::wants_answer);
  while (missing > 0) {
    const std::vector<std::uint8_t> datagram = receive();
    for_each_message(datagram, [&](const nlmsghdr& header, Bytes message) {
      check(header, message);
      if (header.nlmsg_type == NLMSG_ERROR) --missing;
    });
  }
}

std::vector<std::vector<std::uint8_t>> NetlinkSocket::ask(NetlinkMessage question) {
  send({&question, 1});
  std::vector<std::vector<std::uint8_t>> answers;
  for (bool done = false; !done;) {
    const std::vector<std::uint8_t> datagram = receive();
    for_each_message(datagram, [&](const nlmsghdr& header, Bytes message) {
      check(header, message);
      const bool one_of_many = (header.nlmsg_flags & NLM_F_MULTI) != 0;
      if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR || !one_of_many)
        done = true;
      if (header.nlmsg_type >= NLMSG_MIN_TYPE) answers.emplace_back(message.begin(), message.end());
    });
  }
  return answers;
}

}  // namespace sidestream::tunnel
