#include "streams/tls_stream_io.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sidestream {
namespace {

// So much is sealed before it is sent: several records for one system call.
constexpr std::size_t sealed_at_once_bytes = 64 * 1024;

}  // namespace

TlsStream::TlsStream(std::unique_ptr<Stream> transport, std::unique_ptr<TlsSession> session)
    : transport_(std::move(transport)), session_(std::move(session)) {}

// The session has taken all that was there, so the buffer is free.
Task<> TlsStream::receive() {
  received_.reset();
  co_await transport_->wait_readable();
  received_.emplace(RelayBuffers::of_this_thread());
  const std::size_t count = co_await transport_->read_some(received_->bytes());
  if (count == 0) {
    received_.reset();
    session_->feed_end();
  } else {
    session_->feed(received_->bytes().first(count));
  }
}

// Both sides come here: the one that writes, and the one that reads, whose session may have to
// answer. Only one of them can write to the transport.
Task<> TlsStream::transmit() {
  while (transmitting_) co_await transmitted_.wait();
  transmitting_ = true;
  std::exception_ptr failure;
  try {
    while (session_->has_output()) {
      const std::vector<std::uint8_t> records = session_->poll_transmit();
      co_await transport_->write_all(records);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  transmitting_ = false;
  transmitted_.notify_all();
  if (failure) std::rethrow_exception(failure);
}

Task<> TlsStream::transmit_unless_busy() {
  // Whoever transmits goes on until nothing is left.
  if (session_->has_output() && !transmitting_) co_await transmit();
}

Task<> TlsStream::fail() {
  const bool truncated = session_->truncated();
  try {
    co_await transmit_unless_busy();
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
  }
  if (truncated) throw_error(asio::error::connection_aborted, "tls");
  throw_error(make_error_code(boost::system::errc::protocol_error), "tls");
}

Task<> TlsStream::handshake() {
  for (;;) {
    const TlsSession::Progress progress = session_->handshake();
    if (progress == TlsSession::Progress::failed) co_await fail();
    co_await transmit_unless_busy();
    if (progress == TlsSession::Progress::done) break;
    co_await receive();
  }
  if (!session_->has_input()) received_.reset();
}

Task<> TlsStream::wait_readable() {
  while (session_->look() == TlsSession::Readable::need_more) {
    co_await transmit_unless_busy();
    co_await receive();
  }
  if (!session_->has_input()) received_.reset();
}

Task<std::size_t> TlsStream::read_some(MutableBytes into) {
  for (;;) {
    const std::size_t count = session_->read(into);
    if (!session_->has_input()) received_.reset();
    if (count > 0) co_return count;
    const TlsSession::Readable readable = session_->look();
    if (readable == TlsSession::Readable::end) co_return 0;
    if (readable == TlsSession::Readable::failed) co_await fail();
    if (readable == TlsSession::Readable::bytes) continue;
    co_await transmit_unless_busy();
    co_await receive();
  }
}

Task<> TlsStream::write_all(Bytes from) {
  while (!from.empty()) {
    const Bytes part = from.first(std::min(from.size(), sealed_at_once_bytes));
    if (!session_->write(part)) co_await fail();
    co_await transmit();
    from = from.subspan(part.size());
  }
}

Task<> TlsStream::close_write() {
  if (std::exchange(write_ended_, true)) co_return;
  session_->close_write();
  co_await transmit();
  co_await transport_->close_write();
}

void TlsStream::abort() noexcept {
  transport_->abort();
}

}  // namespace sidestream
