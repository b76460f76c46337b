#include "tests/support/simulated_stream_io.h"

namespace sidestream {

SimulatedListener::SimulatedListener(SimulatedHost& host, const SocketAddress& local, bool v6_only,
                                     int backlog, std::string unix_path)
    : host_(host),
      local_(local),
      v6_only_(v6_only),
      backlog_(static_cast<std::size_t>(backlog)),
      unix_path_(std::move(unix_path)) {
  if (unix_path_.empty()) {
    host_.listeners_.push_back(this);
  } else {
    host_.unix_listeners_[unix_path_] = this;
  }
}

SimulatedListener::~SimulatedListener() {
  close();
}

void SimulatedListener::close() noexcept {
  if (!std::exchange(open_, false)) return;
  std::erase(host_.listeners_, this);
  if (!unix_path_.empty()) host_.unix_listeners_.erase(unix_path_);
  waiting_.clear();
  came_.notify_all();
}

Task<std::unique_ptr<Stream>> SimulatedListener::accept() {
  while (open_ && waiting_.empty()) co_await came_.wait();
  if (!open_) throw_error(asio::error::operation_aborted, "accept");
  std::unique_ptr<Stream> stream = std::move(waiting_.front());
  waiting_.pop_front();
  co_return stream;
}

bool SimulatedListener::matches(const SocketAddress& address) const {
  if (local_.port != address.port) return false;
  if (local_.address == address.address) return true;
  if (!local_.address.is_unspecified()) return false;
  return local_.address.is_v6() ? address.address.is_v6() || !v6_only_ : address.address.is_v4();
}

void SimulatedListener::push(std::unique_ptr<Stream> stream) {
  if (waiting_.size() >= backlog_) return;
  waiting_.push_back(std::move(stream));
  came_.notify_all();
}

}  // namespace sidestream
