// Tunnels whose ends are all in this process, and the network that goes with them: a virtual clock,
// seeded randomness and nothing outside.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "streams/asio_io.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/seeded_random.h"
#include "tests/support/virtual_loop_io.h"
#include "tunnel/tunnel_io.h"

namespace sidestream {

class MemoryNetwork final : public Network {
 public:
  explicit MemoryNetwork(VirtualLoop& loop, std::uint64_t seed = 1) : loop_(loop), random_(seed) {}

  asio::any_io_executor executor() override { return loop_.executor(); }
  Timers& timers() override { return loop_.timers(); }
  RandomSource& random() override { return random_; }
  Task<std::unique_ptr<Stream>> connect(SocketAddress, Duration) override { refuse(); }
  Task<std::unique_ptr<Stream>> connect_unix(std::string, Duration) override { refuse(); }
  std::unique_ptr<Listener> listen(const SocketAddress&, const ListenOptions&) override {
    refuse();
  }
  std::unique_ptr<Listener> listen_unix(const std::string&, unsigned) override { refuse(); }
  std::unique_ptr<DatagramSocket> open_udp(const SocketAddress&) override { refuse(); }
  Task<std::vector<SocketAddress>> resolve(std::string, std::uint16_t, Duration) override {
    refuse();
  }

 private:
  [[noreturn]] static void refuse() {
    throw_error(asio::error::operation_not_supported, "memory network");
  }
  VirtualLoop& loop_;
  SeededRandom random_;
};

class MemoryListener;

// What all tunnels of a test share. Outlives them and their streams.
struct MemoryWire {
  std::map<SocketAddress, MemoryListener*> listeners;
  std::uint16_t next_port = 40000;
  bool dark = false;  // nothing arrives any more, and nobody is told
};

// One end of a stream through the wire. What is written in the dark is lost.
class WireStream final : public Stream {
 public:
  WireStream(MemoryWire& wire, std::unique_ptr<MemoryStream> end)
      : wire_(wire), end_(std::move(end)) {}

  Task<> wait_readable() override { return end_->wait_readable(); }
  Task<std::size_t> read_some(MutableBytes into) override { return end_->read_some(into); }
  Task<> write_all(Bytes from) override {
    return wire_.dark ? end_->write_all(Bytes()) : end_->write_all(from);
  }
  Task<> close_write() override { return end_->close_write(); }
  void abort() noexcept override { end_->abort(); }
  [[nodiscard]] SocketAddress local_address() const override { return end_->local_address(); }
  [[nodiscard]] SocketAddress remote_address() const override { return end_->remote_address(); }
  MemoryStream& end() { return *end_; }

 private:
  MemoryWire& wire_;
  std::unique_ptr<MemoryStream> end_;
};

class MemoryListener final : public Listener {
 public:
  MemoryListener(MemoryWire& wire, const SocketAddress& local) : wire_(wire), local_(local) {
    if (!wire_.listeners.try_emplace(local, this).second)
      throw_error(asio::error::address_in_use, "memory listener");
  }
  ~MemoryListener() override { close(); }

  Task<std::unique_ptr<Stream>> accept() override {
    while (waiting_.empty() && !failure_) co_await changed_.wait();
    if (failure_) throw_error(std::exchange(failure_, error_code()), "memory listener");
    std::unique_ptr<Stream> stream = std::move(waiting_.front());
    waiting_.pop_front();
    co_return stream;
  }
  void close() noexcept override { wire_.listeners.erase(local_); }
  [[nodiscard]] SocketAddress local_address() const override { return local_; }

  void push(std::unique_ptr<Stream> stream) {
    waiting_.push_back(std::move(stream));
    changed_.notify_all();
  }
  // Makes one accept fail.
  void fail(error_code code) {
    failure_ = code;
    changed_.notify_all();
  }

 private:
  MemoryWire& wire_;
  SocketAddress local_;
  std::deque<std::unique_ptr<Stream>> waiting_;
  error_code failure_;
  Event changed_;
};

class MemoryTunnel final : public tunnel::Tunnel {
 public:
  MemoryTunnel(MemoryNetwork& network, MemoryWire& wire, IpAddress address)
      : network_(network), wire_(wire), address_(address) {}

  [[nodiscard]] IpAddress address() const override { return address_; }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override {
    if (wire_.dark) {
      co_await network_.timers().sleep_for(timeout);
      throw_error(asio::error::timed_out, "memory tunnel");
    }
    const auto found = wire_.listeners.find(remote);
    if (found == wire_.listeners.end())
      throw_error(asio::error::connection_refused, "memory tunnel");
    MemoryStreamOptions options;
    options.left = {address_, wire_.next_port++};
    options.right = remote;
    MemoryStream::Pair pair = MemoryStream::make_pair(options);
    found->second->push(std::make_unique<WireStream>(wire_, std::move(pair.right)));
    co_return std::make_unique<WireStream>(wire_, std::move(pair.left));
  }
  std::unique_ptr<Listener> listen(std::uint16_t port) override {
    return std::make_unique<MemoryListener>(wire_, SocketAddress{address_, port});
  }

 private:
  MemoryNetwork& network_;
  MemoryWire& wire_;
  IpAddress address_;
};

}  // namespace sidestream
