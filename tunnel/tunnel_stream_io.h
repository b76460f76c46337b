// Streams and listeners of the user-space tunnel: what its TCP connections look like to the rest
// of the program. They are made by UserspaceTunnel and must be destroyed before it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>

#include "streams/event_io.h"
#include "streams/stream_io.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {

class UserspaceTunnel;

class TunnelStream final : public Stream {
 public:
  TunnelStream(UserspaceTunnel& tunnel, ConnectionId connection);
  ~TunnelStream() override;

  // Returns when the connection is established; throws why it was not.
  Task<> wait_connected();

  Task<> wait_readable() override;
  Task<std::size_t> read_some(MutableBytes into) override;
  Task<> write_all(Bytes from) override;
  Task<> close_write() override;
  Task<> wait_broken() override;
  void abort() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return local_; }
  [[nodiscard]] SocketAddress remote_address() const override { return remote_; }

  // Called by the tunnel when its stack reports something about this connection.
  void handle_event(const StackEvent& event);

 private:
  void throw_if_broken() const;

  UserspaceTunnel& tunnel_;
  const ConnectionId connection_;
  SocketAddress local_;
  SocketAddress remote_;
  Event read_changed_;
  Event write_changed_;  // wait_connected waits for it too
  bool connected_ = false;
  bool closed_ = false;
  TcpError error_ = TcpError::none;
};

class TunnelListener final : public Listener {
 public:
  TunnelListener(UserspaceTunnel& tunnel, std::uint16_t port);
  ~TunnelListener() override;

  Task<std::unique_ptr<Stream>> accept() override;
  void close() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override;

  // Called by the tunnel for each new connection.
  void handle_accepted(std::unique_ptr<TunnelStream> stream);

 private:
  UserspaceTunnel& tunnel_;
  const std::uint16_t port_;
  bool closed_ = false;
  std::deque<std::unique_ptr<TunnelStream>> waiting_;  // bounded by the stack's backlog
  Event changed_;
};

// The system error that a broken connection throws.
[[nodiscard]] boost::system::error_code error_code_of(TcpError error);

}  // namespace sidestream::tunnel
