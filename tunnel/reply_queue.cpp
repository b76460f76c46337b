#include "tunnel/reply_queue.h"

#include <algorithm>
#include <array>

#include "tunnel/ip_packet.h"

namespace sidestream::tunnel {

void ReplyQueue::push(Bytes packet) {
  if (packets_.size() < packets_max_) packets_.emplace_back(packet.begin(), packet.end());
}

void ReplyQueue::push_segment(const SocketAddress& from, const SocketAddress& to,
                              TcpSegment segment) {
  segment.source_port = from.port;
  segment.destination_port = to.port;
  std::array<std::uint8_t, ipv6_header_bytes + tcp_header_bytes + tcp_options_bytes_max> packet{};
  push(Bytes(packet).first(write_tcp_packet(packet, from.address, to.address, segment, 0)));
}

std::size_t ReplyQueue::pop(MutableBytes buffer) {
  if (packets_.empty()) return 0;
  const std::vector<std::uint8_t> packet = std::move(packets_.front());
  packets_.pop_front();
  const std::size_t count = std::min(packet.size(), buffer.size());
  std::copy_n(packet.begin(), count, buffer.begin());
  return count;
}

void reply_with_reset(ReplyQueue& replies, const SocketAddress& local, const SocketAddress& remote,
                      const TcpSegment& segment) {
  if (segment.rst) return;
  TcpSegment reset;
  reset.rst = true;
  if (segment.ack) {
    reset.sequence = segment.acknowledgment;
  } else {
    reset.ack = true;
    reset.acknowledgment = segment.sequence + static_cast<std::uint32_t>(segment.length());
  }
  replies.push_segment(local, remote, reset);
}

}  // namespace sidestream::tunnel
