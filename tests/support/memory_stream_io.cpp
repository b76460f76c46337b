#include "tests/support/memory_stream_io.h"

#include <algorithm>
#include <array>
#include <vector>

namespace sidestream {

// One direction.
struct MemoryStream::Pipe {
  std::vector<std::uint8_t> bytes;  // from `read` on they are unread
  std::size_t read = 0;
  bool ended = false;
  bool end_was_read = false;
  Event changed;

  [[nodiscard]] std::size_t unread() const { return bytes.size() - read; }
};

struct MemoryStream::Connection {
  MemoryStreamOptions options;
  std::array<Pipe, 2> written_by;  // index: side
  std::array<error_code, 2> broken;
  std::array<Event, 2> broke;
};

MemoryStream::Pair MemoryStream::make_pair(const MemoryStreamOptions& options) {
  auto connection = std::make_shared<Connection>();
  connection->options = options;
  return {.left = std::unique_ptr<MemoryStream>(new MemoryStream(connection, 0)),
          .right = std::unique_ptr<MemoryStream>(new MemoryStream(connection, 1))};
}

MemoryStream::MemoryStream(std::shared_ptr<Connection> connection, std::size_t side)
    : connection_(std::move(connection)), side_(side) {}

MemoryStream::~MemoryStream() {
  abort();
}

MemoryStream::Pipe& MemoryStream::incoming() const {
  return connection_->written_by[1 - side_];
}
MemoryStream::Pipe& MemoryStream::outgoing() const {
  return connection_->written_by[side_];
}
error_code& MemoryStream::broken_code() const {
  return connection_->broken[side_];
}

void MemoryStream::throw_if_broken() const {
  if (broken_code()) throw_error(broken_code(), "memory stream");
}

void MemoryStream::wake_everyone() const {
  incoming().changed.notify_all();
  outgoing().changed.notify_all();
  connection_->broke[0].notify_all();
  connection_->broke[1].notify_all();
}

Task<> MemoryStream::wait_readable() {
  Pipe& pipe = incoming();
  while (pipe.unread() == 0 && !pipe.ended && !broken_code()) co_await pipe.changed.wait();
  if (pipe.unread() == 0 || broken_code() == asio::error::operation_aborted) throw_if_broken();
}

std::size_t MemoryStream::read_now(MutableBytes into) {
  Pipe& pipe = incoming();
  const std::size_t count = std::min(into.size(), pipe.unread());
  std::copy_n(pipe.bytes.begin() + static_cast<std::ptrdiff_t>(pipe.read), count, into.begin());
  pipe.read += count;
  if (pipe.unread() == 0) {
    pipe.bytes.clear();
    pipe.read = 0;
  }
  pipe.changed.notify_all();
  return count;
}

Task<std::size_t> MemoryStream::read_some(MutableBytes into) {
  co_await wait_readable();
  const std::size_t count = read_now(into);
  if (count == 0) incoming().end_was_read = true;
  co_return count;
}

Task<> MemoryStream::write_all(Bytes from) {
  Pipe& pipe = outgoing();
  while (!from.empty()) {
    throw_if_broken();
    const std::size_t room = connection_->options.buffer_bytes -
                             std::min(connection_->options.buffer_bytes, pipe.unread());
    const std::size_t count = std::min(from.size(), room);
    if (count == 0) {
      co_await pipe.changed.wait();
      continue;
    }
    pipe.bytes.insert(pipe.bytes.end(), from.begin(),
                      from.begin() + static_cast<std::ptrdiff_t>(count));
    from = from.subspan(count);
    pipe.changed.notify_all();
  }
  throw_if_broken();
}

Task<> MemoryStream::close_write() {
  throw_if_broken();
  push_end();
  co_return;
}

Task<> MemoryStream::wait_broken() {
  while (!broken_code()) co_await connection_->broke[side_].wait();
  throw_if_broken();
}

void MemoryStream::abort() noexcept {
  if (broken_code() == asio::error::operation_aborted) return;
  const bool both_ended = outgoing().ended && incoming().ended && incoming().end_was_read;
  broken_code() = asio::error::operation_aborted;
  if (!both_ended && !connection_->broken[1 - side_])
    connection_->broken[1 - side_] = asio::error::connection_reset;
  wake_everyone();
}

SocketAddress MemoryStream::local_address() const {
  return side_ == 0 ? connection_->options.left : connection_->options.right;
}
SocketAddress MemoryStream::remote_address() const {
  return side_ == 0 ? connection_->options.right : connection_->options.left;
}

bool MemoryStream::push(std::string_view text) {
  Pipe& pipe = outgoing();
  if (broken_code() || pipe.unread() + text.size() > connection_->options.buffer_bytes)
    return false;
  const Bytes bytes = bytes_of(text);
  pipe.bytes.insert(pipe.bytes.end(), bytes.begin(), bytes.end());
  pipe.changed.notify_all();
  return true;
}

void MemoryStream::push_end() {
  outgoing().ended = true;
  outgoing().changed.notify_all();
}

std::string MemoryStream::take() {
  std::vector<std::uint8_t> bytes(incoming().unread());
  read_now(bytes);
  return std::string(text_of(bytes));
}

bool MemoryStream::at_end() const {
  return incoming().ended && incoming().unread() == 0 && !broken_code();
}

error_code MemoryStream::broken() const {
  return broken_code();
}

void MemoryStream::fail(error_code code) {
  if (broken_code()) return;
  broken_code() = code;
  wake_everyone();
}

std::size_t MemoryStream::unread_by_peer() const {
  return outgoing().unread();
}

}  // namespace sidestream
