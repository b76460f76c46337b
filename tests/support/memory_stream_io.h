// Two streams connected in memory, with bounded buffers and, for the side of a test, questions and
// actions that do not wait.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "streams/event_io.h"
#include "streams/stream_io.h"

namespace sidestream {

struct MemoryStreamOptions {
  std::size_t buffer_bytes = 64 * 1024;  // per direction
  SocketAddress left;
  SocketAddress right;
};

// One end. As with Linux's TCP, bytes that arrived before a reset can still be read.
class MemoryStream final : public Stream {
 public:
  struct Pair {
    std::unique_ptr<MemoryStream> left;
    std::unique_ptr<MemoryStream> right;
  };
  static Pair make_pair(const MemoryStreamOptions& options = {});

  ~MemoryStream() override;

  Task<> wait_readable() override;
  Task<std::size_t> read_some(MutableBytes into) override;
  Task<> write_all(Bytes from) override;
  Task<> close_write() override;
  Task<> wait_broken() override;
  void abort() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override;
  [[nodiscard]] SocketAddress remote_address() const override;

  // For tests; none of these waits.
  // Writes all of it or, when the buffer has too little room, nothing.
  bool push(std::string_view text);
  void push_end();
  // Takes what has arrived so far.
  std::string take();
  // Has the peer ended its direction in order, and was everything before that taken?
  [[nodiscard]] bool at_end() const;
  // What broke this end; no error while it is whole.
  [[nodiscard]] error_code broken() const;
  // Breaks this end only, as a timeout does.
  void fail(error_code code);
  // Bytes that we wrote and the peer has not read.
  [[nodiscard]] std::size_t unread_by_peer() const;

 private:
  struct Pipe;
  struct Connection;
  // Shared by the two ends, whichever dies last.
  MemoryStream(std::shared_ptr<Connection> connection, std::size_t side);

  [[nodiscard]] Pipe& incoming() const;
  [[nodiscard]] Pipe& outgoing() const;
  [[nodiscard]] error_code& broken_code() const;
  void throw_if_broken() const;
  void wake_everyone() const;
  std::size_t read_now(MutableBytes into);

  std::shared_ptr<Connection> connection_;
  std::size_t side_;
};

}  // namespace sidestream
