// Asks the kernel by netlink, and waits for the answer, which comes at once. A socket serves for
// one question.
#pragma once

#include <span>
#include <vector>

#include "streams/descriptor_io.h"
#include "tunnel/netlink_message_io.h"

namespace sidestream::tunnel {

class NetlinkSocket {
 public:
  // NETLINK_ROUTE, NETLINK_NETFILTER. Throws system_error.
  explicit NetlinkSocket(int protocol);

  // Sends them together. Throws system_error with the first error that the kernel has with those
  // that want an answer.
  void request(std::span<NetlinkMessage> messages);
  void request(NetlinkMessage message) { request({&message, 1}); }
  // The messages that answer a question with NLM_F_DUMP, or for one thing, each with its header.
  std::vector<std::vector<std::uint8_t>> ask(NetlinkMessage question);

 private:
  void send(std::span<NetlinkMessage> messages);
  std::vector<std::uint8_t> receive();

  UniqueFd fd_;
};

}  // namespace sidestream::tunnel
