// What joins sidecar and edge, as its users see it: a place to connect to and to listen on. The
// user-space tunnel is one, WireGuard in the kernel, a tailnet and no tunnel at all are others.
#pragma once

#include <memory>

#include "streams/bytes.h"
#include "streams/stream_io.h"
#include "streams/time.h"

namespace sidestream::tunnel {

class Tunnel {
 public:
  Tunnel() = default;
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  virtual ~Tunnel() = default;

  // Our own address inside.
  [[nodiscard]] virtual IpAddress address() const = 0;
  // Opens a stream to a peer's tunnel address. Throws timed_out, connection_refused,
  // host_unreachable (no peer has that address), no_buffer_space (limit reached).
  virtual Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) = 0;
  // The same for someone who speaks first. Of `first`, which outlives the call, `written_bytes` are
  // on their way when it returns; they left with the request where the tunnel can do that, and cost
  // no round trip of their own. The rest is the caller's to write.
  struct Connected {
    std::unique_ptr<Stream> stream;
    std::size_t written_bytes = 0;
  };
  virtual Task<Connected> connect_saying(SocketAddress remote, Duration timeout, Bytes /*first*/) {
    Connected connected;
    connected.stream = co_await connect(remote, timeout);
    co_return connected;
  }
  // Listens on a port of our tunnel address. Only peers reach it, and a stream's remote address is
  // proof of which peer it is. Throws address_in_use.
  virtual std::unique_ptr<Listener> listen(std::uint16_t port) = 0;
};

}  // namespace sidestream::tunnel
