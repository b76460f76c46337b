#include "streams/descriptor_io.h"

#include <poll.h>
#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace sidestream {
namespace {

using Wait = asio::posix::descriptor_base;

bool is_ready(int fd, short events) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor::Descriptor(const asio::any_io_executor& executor, UniqueFd fd) : descriptor_(executor) {
  descriptor_.assign(fd.get());
  fd.release();
}

// Asking first is cheaper than a round through the reactor, which costs two system calls.
Task<> Descriptor::wait_readable() {
  if (is_open() && is_ready(fd(), POLLIN)) co_return;
  co_await descriptor_.async_wait(Wait::wait_read, asio::use_awaitable);
}

Task<> Descriptor::wait_writable() {
  if (is_open() && is_ready(fd(), POLLOUT)) co_return;
  co_await descriptor_.async_wait(Wait::wait_write, asio::use_awaitable);
}

Task<> Descriptor::wait_error() {
  co_await descriptor_.async_wait(Wait::wait_error, asio::use_awaitable);
}

UniqueFd Descriptor::release() noexcept {
  if (!is_open()) return {};
  return UniqueFd(descriptor_.release());
}

}  // namespace sidestream
