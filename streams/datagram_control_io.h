// The control messages that travel with datagrams (cmsg(3)): local address, traffic class,
// segment size, count of drops.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "streams/ip_address.h"

namespace sidestream {

// Room for every message that we ask for or send, in one direction.
struct ControlRoom {
  static constexpr std::size_t bytes_max = 192;
  alignas(cmsghdr) std::array<std::uint8_t, bytes_max> bytes;
};

struct ReceivedControl {
  std::optional<IpAddress> local;
  unsigned interface = 0;
  std::uint8_t traffic_class = 0;
  std::size_t segment_bytes = 0;               // 0: a single datagram
  std::optional<std::uint32_t> dropped_total;  // by the socket, because its buffer was full
};

[[nodiscard]] ReceivedControl parse_control(msghdr& message);

// Appends messages to an empty control buffer; attach() puts what was built into a header.
class ControlWriter {
 public:
  explicit ControlWriter(ControlRoom& room) : room_(room) {}

  // `v4` says in which family the datagram travels, which for an IPv6 socket is not its own.
  void source(const IpAddress& local, unsigned interface);
  void traffic_class(std::uint8_t value, bool v4);
  void segment_bytes(std::uint16_t value);
  void attach(msghdr& message) const;

 private:
  void append(int level, int type, const void* content, std::size_t size);

  ControlRoom& room_;
  std::size_t used_ = 0;
};

}  // namespace sidestream
