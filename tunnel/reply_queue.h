// Packets that belong to no connection any more or never did: resets, echo replies, challenges
// from TIME-WAIT. A short queue; what does not fit is dropped, and whoever asked will ask again.
#pragma once

#include <deque>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "tunnel/tcp_segment.h"

namespace sidestream::tunnel {

class ReplyQueue {
 public:
  explicit ReplyQueue(std::size_t packets_max) : packets_max_(packets_max) {}

  void push(Bytes packet);
  void push_segment(const SocketAddress& from, const SocketAddress& to, TcpSegment segment);
  // Copies the oldest packet into `buffer` and returns its length; 0: none.
  std::size_t pop(MutableBytes buffer);

 private:
  std::size_t packets_max_;
  std::deque<std::vector<std::uint8_t>> packets_;
};

// The reset that answers a segment for which there is no connection (RFC 9293 section 3.10.7.1).
// Nothing when it is a reset itself.
void reply_with_reset(ReplyQueue& replies, const SocketAddress& local, const SocketAddress& remote,
                      const TcpSegment& segment);

}  // namespace sidestream::tunnel
