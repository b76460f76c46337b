// A file descriptor that coroutines wait for. The system calls on it are made by its users.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include "streams/asio_io.h"

namespace sidestream {

// Closes what it owns unless released. Movable until the first wait.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// A descriptor in the reactor. At most one wait of each kind at a time. Whatever ends a wait, look
// at is_open() before the descriptor is used again.
class Descriptor {
 public:
  Descriptor(const asio::any_io_executor& executor, UniqueFd fd);

  [[nodiscard]] int fd() { return descriptor_.native_handle(); }
  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

  // They return at once when it is so already, and also when the descriptor is broken. A wait that
  // close() interrupts throws operation_aborted.
  Task<> wait_readable();
  Task<> wait_writable();
  // Returns when the descriptor is in an error state (POLLERR, POLLHUP; also POLLPRI).
  Task<> wait_error();

  // Takes it out of the reactor; pending waits end with operation_aborted.
  UniqueFd release() noexcept;
  void close() noexcept { release(); }

 private:
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace sidestream
