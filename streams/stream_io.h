// The byte stream that everything in the shell speaks: a kernel socket, a connection of our own
// TCP, TLS over another stream, a stream in memory.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

#include "streams/bytes.h"
#include "streams/ip_address.h"

namespace sidestream {

// Every coroutine of the shell. It runs on the one thread of its io_context.
template <typename T = void>
using Task = boost::asio::awaitable<T>;

// A connected, reliable, ordered stream of bytes with two directions that end separately.
//
// Owner: whoever holds the unique_ptr; it must outlive every pending operation. Destroying a
// stream with nothing pending aborts it unless both directions have ended.
// Errors: operations throw boost::system::system_error. A peer that reset the connection is
// asio::error::connection_reset (never a clean end), a timeout is asio::error::timed_out, abort()
// is asio::error::operation_aborted.
// Concurrency: at most one read-side operation (wait_readable, read_some) and one write-side
// operation (write_all, close_write) at a time; the two sides are independent.
// Cancelling: terminal cancellation ends the operation with operation_aborted. After a cancelled
// operation other than wait_readable the stream is good for nothing but abort() and destruction.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Returns when read_some would not wait: bytes, end of stream or an error are there. Reads
  // nothing, so that an idle stream needs no buffer. Cancelling it takes nothing from the stream,
  // which stays good for everything.
  virtual Task<> wait_readable() = 0;

  // Reads at least one byte, at most into.size() (> 0); 0 means that the peer ended its direction.
  virtual Task<std::size_t> read_some(MutableBytes into) = 0;

  // Returns when all of `from` was taken over (not when it arrived). `from` must stay valid until
  // then. Waits while the peer's window is closed: this is the back-pressure.
  virtual Task<> write_all(Bytes from) = 0;

  // Ends our direction in order (FIN, after all that was written). The other one goes on.
  // Calling it again does nothing.
  virtual Task<> close_write() = 0;

  // Throws what broke the connection as soon as that is known, operation_aborted after abort(), and
  // never returns. For the time after the peer's end, when no read is left that would notice a
  // reset or a peer that is gone. May be pending beside the two other operations. A stream that
  // cannot tell waits until it is cancelled, which is what this default does.
  virtual Task<> wait_broken();

  // Ends both directions at once; the peer sees a reset. Pending operations end with
  // operation_aborted. Calling it again, or after both ends, does nothing.
  virtual void abort() noexcept = 0;

  [[nodiscard]] virtual SocketAddress local_address() const = 0;
  [[nodiscard]] virtual SocketAddress remote_address() const = 0;
};

// What accepts streams. Destroying it stops listening; a pending accept ends with
// operation_aborted.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  // The next stream. Errors that concern one connection only are swallowed; running out of
  // descriptors or memory is thrown, and it is the caller who waits before trying again.
  virtual Task<std::unique_ptr<Stream>> accept() = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual SocketAddress local_address() const = 0;
  // Of the kernel's, to hand the listener to another process; -1: there is none.
  [[nodiscard]] virtual int descriptor() { return -1; }
};

}  // namespace sidestream
