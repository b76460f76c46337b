#include "streams/socket_listener_io.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "streams/socket_address_io.h"
#include "streams/socket_place_io.h"
#include "streams/socket_stream_io.h"

namespace sidestream {
namespace {

// After so many streams in a row everything else gets its turn.
constexpr int accepts_without_waiting_max = 16;

// Linux passes network errors of the connection that was to be accepted on as errors of accept
// (accept(2)); all others are failures of the machine or of the listener.
bool concerns_one_connection(int code) {
  switch (code) {
    case EINTR:
    case ECONNABORTED:
    case ECONNRESET:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

UniqueFd bind_and_listen(const SocketAddress& local, const ListenOptions& options,
                         const SocketPlace* place = nullptr) {
  const int family = family_of(local);
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
  if (options.reuse_port && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1))
    throw_error(last_system_error(), "SO_REUSEPORT");
  set_tcp_options(fd.get());
  if (place != nullptr) place_socket(fd.get(), *place);
  const KernelAddress address = to_kernel(local, family);
  if (::bind(fd.get(), address.get(), address.length) != 0)
    throw_error(last_system_error(), "bind");
  if (::listen(fd.get(), options.backlog) != 0) throw_error(last_system_error(), "listen");
  return fd;
}

}  // namespace

SocketListener::SocketListener(const asio::any_io_executor& executor, UniqueFd fd)
    : executor_(executor),
      descriptor_(executor, std::move(fd)),
      local_(bound_address(descriptor_.fd())) {}

Task<std::unique_ptr<Stream>> SocketListener::accept() {
  Accepted accepted = co_await accept_descriptor();
  co_return std::make_unique<SocketStream>(executor_, std::move(accepted.fd), accepted.remote);
}

Task<SocketListener::Accepted> SocketListener::accept_descriptor() {
  if (accepted_without_waiting_ >= accepts_without_waiting_max) {
    accepted_without_waiting_ = 0;
    co_await yield_now();
  }
  for (;;) {
    if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "accept");
    KernelAddress remote;
    UniqueFd fd(
        ::accept4(descriptor_.fd(), remote.get(), &remote.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      ++accepted_without_waiting_;
      co_return Accepted{std::move(fd), from_kernel(remote)};
    }
    const int code = errno;
    if (code == EAGAIN || code == EWOULDBLOCK) {
      accepted_without_waiting_ = 0;
      co_await descriptor_.wait_readable();
    } else if (!concerns_one_connection(code)) {
      throw_error(error_code(code, boost::system::system_category()), "accept");
    }
  }
}

std::unique_ptr<Listener> listen_tcp(const asio::any_io_executor& executor,
                                     const SocketAddress& local, const ListenOptions& options) {
  try {
    return std::make_unique<SocketListener>(executor, bind_and_listen(local, options));
  } catch (const system_error& error) {
    if (options.v6_only || !lacks_ipv6(local, error.code())) throw;
  }
  const SocketAddress any_v4{IpAddress(), local.port};
  return std::make_unique<SocketListener>(executor, bind_and_listen(any_v4, options));
}

std::unique_ptr<Listener> listen_at_place(const asio::any_io_executor& executor,
                                          const SocketPlace& place, std::uint16_t port) {
  return std::make_unique<SocketListener>(executor,
                                          bind_and_listen({place.address, port}, {}, &place));
}

}  // namespace sidestream
