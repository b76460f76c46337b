#include "tunnel/socket_tunnel_io.h"

#include <utility>

namespace sidestream::tunnel {
namespace {

// A kernel stream that its tunnel knows of.
class SocketTunnelStream final : public Stream {
 public:
  SocketTunnelStream(SocketTunnel& tunnel, std::unique_ptr<Stream> inner, bool accepted)
      : tunnel_(tunnel), inner_(std::move(inner)), place_(tunnel.attach(*this, accepted)) {}
  ~SocketTunnelStream() override { tunnel_.detach(place_); }

  Task<> wait_readable() override { return inner_->wait_readable(); }
  Task<std::size_t> read_some(MutableBytes into) override { return inner_->read_some(into); }
  Task<> write_all(Bytes from) override { return inner_->write_all(from); }
  Task<> close_write() override { return inner_->close_write(); }
  Task<> wait_broken() override { return inner_->wait_broken(); }
  void abort() noexcept override { inner_->abort(); }
  [[nodiscard]] SocketAddress local_address() const override { return inner_->local_address(); }
  [[nodiscard]] SocketAddress remote_address() const override { return inner_->remote_address(); }

 private:
  SocketTunnel& tunnel_;
  std::unique_ptr<Stream> inner_;
  const SocketTunnel::Place place_;
};

class SocketTunnelListener final : public Listener {
 public:
  SocketTunnelListener(SocketTunnel& tunnel, std::unique_ptr<Listener> inner)
      : tunnel_(tunnel), inner_(std::move(inner)) {}

  Task<std::unique_ptr<Stream>> accept() override {
    std::unique_ptr<Stream> stream = co_await inner_->accept();
    co_return std::make_unique<SocketTunnelStream>(tunnel_, std::move(stream), true);
  }
  void close() noexcept override { inner_->close(); }
  [[nodiscard]] SocketAddress local_address() const override { return inner_->local_address(); }
  [[nodiscard]] int descriptor() override { return inner_->descriptor(); }

 private:
  SocketTunnel& tunnel_;
  std::unique_ptr<Listener> inner_;
};

}  // namespace

Task<std::unique_ptr<Stream>> SocketTunnel::connect(SocketAddress remote, Duration timeout) {
  std::unique_ptr<Stream> stream = co_await network_.connect_from(place_, remote, timeout);
  co_return std::make_unique<SocketTunnelStream>(*this, std::move(stream), false);
}

std::unique_ptr<Listener> SocketTunnel::listen(std::uint16_t port) {
  return std::make_unique<SocketTunnelListener>(*this, network_.listen_at(place_, port));
}

void SocketTunnel::end_accepted_streams(const IpAddress& peer) {
  // Nobody's coroutine runs within abort(), so that the list stands still.
  for (const Live& live : streams_)
    if (live.accepted && live.stream->remote_address().address == peer) live.stream->abort();
}

}  // namespace sidestream::tunnel
