#include "streams/message_link_io.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace sidestream {

std::pair<UniqueFd, UniqueFd> open_message_link() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    throw_error(last_system_error(), "socketpair");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

KernelMessageLink::KernelMessageLink(const asio::any_io_executor& executor, UniqueFd fd)
    : descriptor_(executor, std::move(fd)), received_(link_message_bytes_max) {}

Task<> KernelMessageLink::wait_readable() {
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "receive");
  co_await descriptor_.wait_readable();
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "receive");
}

Task<> KernelMessageLink::wait_writable() {
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "send");
  co_await descriptor_.wait_writable();
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "send");
}

MutableBytes KernelMessageLink::receive() {
  if (ended()) return {};
  ssize_t bytes = 0;
  do {
    bytes = ::recv(descriptor_.fd(), received_.data(), received_.size(), 0);
  } while (bytes < 0 && errno == EINTR);
  if (bytes > 0) return MutableBytes(received_).first(static_cast<std::size_t>(bytes));
  if (bytes == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) ended_ = true;
  return {};
}

bool KernelMessageLink::send(Bytes message) {
  if (ended()) return true;
  for (;;) {
    if (::send(descriptor_.fd(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return false;
    return true;  // the other end is gone, as receive() will find out
  }
}

}  // namespace sidestream
