// A Stream over a connected kernel socket, TCP or Unix.
#pragma once

#include "streams/descriptor_io.h"
#include "streams/event_io.h"
#include "streams/stream_io.h"

namespace sidestream {

// Keepalive of every TCP connection that we accept or make: a dead peer is noticed after
// 60 + 6 * 10 seconds, well before a NAT on the way forgets the connection.
struct KeepaliveOptions {
  int idle_seconds = 60;
  int interval_seconds = 10;
  int probes = 6;
};

// No delay, keepalive, urgent data in line, and a reset when the socket is closed by anyone but an
// orderly end of ours: a process that is killed must not make half a message look like a whole one.
// On a listener they hold for what it accepts.
void set_tcp_options(int fd, const KeepaliveOptions& keepalive = {});

// Differences from the contract of Stream: a Unix socket has no reset, so after abort() its peer
// sees one only if we left bytes of it unread, and a clean end otherwise.
class SocketStream final : public Stream {
 public:
  // `fd` is connected; from here on it is only used without blocking.
  SocketStream(const asio::any_io_executor& executor, UniqueFd fd, const SocketAddress& remote);
  ~SocketStream() override;

  Task<> wait_readable() override;
  Task<std::size_t> read_some(MutableBytes into) override;
  Task<> write_all(Bytes from) override;
  Task<> close_write() override;
  Task<> wait_broken() override;
  void abort() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return local_; }
  [[nodiscard]] SocketAddress remote_address() const override { return remote_; }

 private:
  // Throws what broke the stream earlier: the kernel tells each error only once, and would call
  // the connection cleanly ended from then on.
  void throw_if_broken();
  [[noreturn]] void fail(error_code code, const char* what);

  Descriptor descriptor_;
  SocketAddress local_;
  SocketAddress remote_;
  error_code broken_;
  Event aborted_;
  bool read_ended_ = false;
  bool write_ended_ = false;
};

}  // namespace sidestream
