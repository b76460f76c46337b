#include "streams/prefixed_stream_io.h"

#include <algorithm>

#include "streams/asio_io.h"

namespace sidestream {

PrefixedStream::PrefixedStream(std::vector<std::uint8_t> prefix, std::unique_ptr<Stream> inner)
    : prefix_(std::move(prefix)), inner_(std::move(inner)) {}

Task<> PrefixedStream::wait_readable() {
  if (prefix_.empty()) co_await inner_->wait_readable();
}

Task<std::size_t> PrefixedStream::read_some(MutableBytes into) {
  if (prefix_.empty()) co_return co_await inner_->read_some(into);
  const std::size_t count = std::min(into.size(), prefix_.size() - read_);
  std::copy_n(prefix_.begin() + static_cast<std::ptrdiff_t>(read_), count, into.begin());
  read_ += count;
  if (read_ == prefix_.size()) prefix_ = {};
  co_return count;
}

void PrefixedStream::abort() noexcept {
  prefix_ = {};
  inner_->abort();
}

}  // namespace sidestream
