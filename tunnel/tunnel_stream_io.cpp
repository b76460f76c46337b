#include "tunnel/tunnel_stream_io.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::tunnel {

boost::system::error_code error_code_of(TcpError error) {
  namespace asio_error = boost::asio::error;
  switch (error) {
    case TcpError::none:
      return {};
    case TcpError::refused:
      return asio_error::connection_refused;
    case TcpError::reset:
      return asio_error::connection_reset;
    case TcpError::timed_out:
      return asio_error::timed_out;
    case TcpError::unreachable:
    case TcpError::no_route:
      return asio_error::host_unreachable;
    case TcpError::aborted:
      return asio_error::operation_aborted;
    case TcpError::no_ports:
    case TcpError::too_many:
      return asio_error::no_buffer_space;
    case TcpError::address_in_use:
      return asio_error::address_in_use;
  }
  return asio_error::fault;
}

// ---- TunnelStream ----------------------------------------------------------------------------

TunnelStream::TunnelStream(UserspaceTunnel& tunnel, ConnectionId connection)
    : tunnel_(tunnel), connection_(connection) {
  if (const auto status = tunnel_.stack().status(connection_)) {
    local_ = status->local;
    remote_ = status->remote;
  }
  tunnel_.attach(connection_, this);
}

TunnelStream::~TunnelStream() {
  tunnel_.detach(connection_);
  tunnel_.stack().release(tunnel_.now(), connection_);
  tunnel_.stack_was_used();
}

void TunnelStream::throw_if_broken() const {
  if (error_ != TcpError::none) throw boost::system::system_error(error_code_of(error_));
}

Task<> TunnelStream::wait_connected() {
  while (!connected_ && !closed_) co_await write_changed_.wait();
  throw_if_broken();
}

Task<> TunnelStream::wait_readable() {
  while (!closed_ && !tunnel_.stack().readable(connection_)) {
    tunnel_.stack().read(tunnel_.now(), connection_, {});  // asks for the next event
    co_await read_changed_.wait();
  }
}

Task<std::size_t> TunnelStream::read_some(MutableBytes into) {
  for (;;) {
    throw_if_broken();
    const TcpStack::ReadResult result = tunnel_.stack().read(tunnel_.now(), connection_, into);
    if (result.bytes > 0) {
      tunnel_.stack_was_used();  // the window may have opened
      co_return result.bytes;
    }
    if (result.error != TcpError::none)
      throw boost::system::system_error(error_code_of(result.error));
    if (result.end || closed_) co_return 0;
    co_await read_changed_.wait();
  }
}

Task<> TunnelStream::write_all(Bytes from) {
  for (;;) {
    throw_if_broken();
    if (closed_) throw boost::system::system_error(boost::asio::error::broken_pipe);
    from = from.subspan(tunnel_.stack().write(tunnel_.now(), connection_, from));
    tunnel_.stack_was_used();
    if (from.empty()) co_return;
    co_await write_changed_.wait();
  }
}

Task<> TunnelStream::close_write() {
  throw_if_broken();
  tunnel_.stack().close_write(tunnel_.now(), connection_);
  tunnel_.stack_was_used();
  co_return;
}

Task<> TunnelStream::wait_broken() {
  for (;;) {
    throw_if_broken();
    co_await read_changed_.wait();
  }
}

void TunnelStream::abort() noexcept {
  if (closed_) return;
  tunnel_.stack().abort(tunnel_.now(), connection_);
  tunnel_.stack_was_used();
  closed_ = true;
  error_ = TcpError::aborted;
  read_changed_.notify_all();
  write_changed_.notify_all();
}

void TunnelStream::handle_event(const StackEvent& event) {
  switch (event.kind) {
    case StackEvent::Kind::accepted:
    case StackEvent::Kind::connected:
      connected_ = true;
      write_changed_.notify_all();
      return;
    case StackEvent::Kind::readable:
      read_changed_.notify_all();
      return;
    case StackEvent::Kind::writable:
      write_changed_.notify_all();
      return;
    case StackEvent::Kind::closed:
      if (closed_) return;
      closed_ = true;
      error_ = event.error;
      read_changed_.notify_all();
      write_changed_.notify_all();
      return;
  }
}

// ---- TunnelListener --------------------------------------------------------------------------

TunnelListener::TunnelListener(UserspaceTunnel& tunnel, std::uint16_t port)
    : tunnel_(tunnel), port_(port) {
  const auto listening = tunnel_.stack().listen(port);
  if (!listening) throw boost::system::system_error(error_code_of(listening.error()));
  tunnel_.attach(port_, this);
}

TunnelListener::~TunnelListener() {
  close();
}

Task<std::unique_ptr<Stream>> TunnelListener::accept() {
  while (waiting_.empty()) {
    if (closed_) throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_await changed_.wait();
  }
  std::unique_ptr<Stream> stream = std::move(waiting_.front());
  waiting_.pop_front();
  co_return stream;
}

void TunnelListener::close() noexcept {
  if (closed_) return;
  closed_ = true;
  tunnel_.detach(port_);
  tunnel_.stack().stop_listening(port_);
  waiting_.clear();
  changed_.notify_all();
}

SocketAddress TunnelListener::local_address() const {
  return {tunnel_.address(), port_};
}

void TunnelListener::handle_accepted(std::unique_ptr<TunnelStream> stream) {
  waiting_.push_back(std::move(stream));
  changed_.notify_all();
}

}  // namespace sidestream::tunnel
