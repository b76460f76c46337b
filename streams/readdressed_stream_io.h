// A stream whose ends are others than those of the socket: a router stands between, and has said
// who the client is and which address it connected to.
#pragma once

#include <memory>

#include "streams/stream_io.h"

namespace sidestream {

// Everything but the two addresses is inner's.
class ReaddressedStream final : public Stream {
 public:
  ReaddressedStream(std::unique_ptr<Stream> inner, const SocketAddress& local,
                    const SocketAddress& remote);

  Task<> wait_readable() override { return inner_->wait_readable(); }
  Task<std::size_t> read_some(MutableBytes into) override { return inner_->read_some(into); }
  Task<> write_all(Bytes from) override { return inner_->write_all(from); }
  Task<> close_write() override { return inner_->close_write(); }
  Task<> wait_broken() override { return inner_->wait_broken(); }
  void abort() noexcept override { inner_->abort(); }
  [[nodiscard]] SocketAddress local_address() const override { return local_; }
  [[nodiscard]] SocketAddress remote_address() const override { return remote_; }

 private:
  std::unique_ptr<Stream> inner_;
  SocketAddress local_;
  SocketAddress remote_;
};

}  // namespace sidestream
