#include "streams/socket_stream_io.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "streams/socket_address_io.h"

namespace sidestream {
namespace {

// What the kernel keeps for a reader that does not read, beside what is on its way: without this up
// to the 4 MiB of net.ipv4.tcp_wmem. A fast reader does not wait for it: the relay fills it again
// long before so much is sent.
constexpr int unsent_bytes_max = 128 * 1024;

void set_reset_at_close(int fd, bool reset) {
  const linger value{.l_onoff = reset ? 1 : 0, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

void set_tcp_options(int fd, const KeepaliveOptions& keepalive) {
  // A kernel that refuses one of these still makes a usable stream.
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_bytes_max);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive.idle_seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive.interval_seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive.probes);
  // Out of line, the urgent byte would be missing from the stream.
  set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  set_reset_at_close(fd, true);
}

SocketStream::SocketStream(const asio::any_io_executor& executor, UniqueFd fd,
                           const SocketAddress& remote)
    : descriptor_(executor, std::move(fd)),
      local_(bound_address(descriptor_.fd())),
      remote_(remote) {}

SocketStream::~SocketStream() {
  abort();
}

void SocketStream::throw_if_broken() {
  if (broken_) throw_error(broken_, "stream");
}

void SocketStream::fail(error_code code, const char* what) {
  // Writing to a connection that the peer has reset after its end is EPIPE.
  broken_ = code == boost::system::errc::broken_pipe || code == boost::system::errc::not_connected
                ? error_code(asio::error::connection_reset)
                : code;
  throw_error(broken_, what);
}

Task<> SocketStream::wait_readable() {
  throw_if_broken();
  co_await descriptor_.wait_readable();
  throw_if_broken();
}

Task<std::size_t> SocketStream::read_some(MutableBytes into) {
  for (;;) {
    throw_if_broken();
    const ssize_t count = ::recv(descriptor_.fd(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) co_return static_cast<std::size_t>(count);
    if (count == 0) {
      read_ended_ = true;
      co_return 0;
    }
    if (errno == EINTR) continue;
    if (!would_block()) fail(last_system_error(), "read");
    co_await descriptor_.wait_readable();
  }
}

Task<> SocketStream::write_all(Bytes from) {
  while (!from.empty()) {
    throw_if_broken();
    const ssize_t count =
        ::send(descriptor_.fd(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      from = from.subspan(static_cast<std::size_t>(count));
    } else if (would_block()) {
      co_await descriptor_.wait_writable();
    } else if (errno != EINTR) {
      fail(last_system_error(), "write");
    }
  }
}

Task<> SocketStream::close_write() {
  throw_if_broken();
  if (write_ended_) co_return;
  if (::shutdown(descriptor_.fd(), SHUT_WR) != 0) fail(last_system_error(), "shutdown");
  write_ended_ = true;
}

Task<> SocketStream::wait_broken() {
  throw_if_broken();
  co_await descriptor_.wait_error();
  throw_if_broken();
  int code = 0;
  socklen_t length = sizeof code;
  ::getsockopt(descriptor_.fd(), SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0) fail(error_code(code, boost::system::system_category()), "stream");
  // Woken for something that is no failure (both directions have ended), which the reactor would
  // report again and again.
  co_await aborted_.wait();
  throw_if_broken();
}

void SocketStream::abort() noexcept {
  if (!descriptor_.is_open()) return;
  // After two ends in order the kernel delivers what is left.
  const bool in_order = read_ended_ && write_ended_ && !broken_;
  set_reset_at_close(descriptor_.fd(), !in_order);
  broken_ = asio::error::operation_aborted;
  aborted_.notify_all();
  descriptor_.close();
}

}  // namespace sidestream
