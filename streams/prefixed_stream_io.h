// A stream of which some bytes were read already.
#pragma once

#include <memory>
#include <vector>

#include "streams/stream_io.h"

namespace sidestream {

// Reads return `prefix` first and then what `inner` has; everything else is inner's.
class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::vector<std::uint8_t> prefix, std::unique_ptr<Stream> inner);

  Task<> wait_readable() override;
  Task<std::size_t> read_some(MutableBytes into) override;
  Task<> write_all(Bytes from) override { return inner_->write_all(from); }
  Task<> close_write() override { return inner_->close_write(); }
  Task<> wait_broken() override { return inner_->wait_broken(); }
  void abort() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return inner_->local_address(); }
  [[nodiscard]] SocketAddress remote_address() const override { return inner_->remote_address(); }

 private:
  std::vector<std::uint8_t> prefix_;  // its memory is given back when it has been read
  std::size_t read_ = 0;
  std::unique_ptr<Stream> inner_;
};

}  // namespace sidestream
