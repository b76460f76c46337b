// UDP of the simulated internet. Made by SimulatedNetwork.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "streams/event_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream {

class SimulatedDatagramSocket final : public DatagramSocket {
 public:
  SimulatedDatagramSocket(SimulatedHost& host, const SocketAddress& local);
  ~SimulatedDatagramSocket() override;

  Task<> wait_readable() override;
  std::span<const Batch> receive() override;
  bool send(const Batch& batch) override;
  Task<> wait_writable() override;
  void forget_local_address(const SocketAddress& remote) override { local_of_.erase(remote); }
  std::optional<IpAddress> local_address_for(const SocketAddress& remote) override {
    const auto known = local_of_.find(remote);
    return known == local_of_.end() ? std::nullopt : std::optional(known->second);
  }
  void set_local_address_for(const SocketAddress& remote, const IpAddress& local) override {
    if (local_.address.is_unspecified()) local_of_[remote] = local;
  }
  void close() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return local_; }
  [[nodiscard]] Counters counters() const override { return counters_; }

  [[nodiscard]] bool matches(const SocketAddress& address) const;
  // A datagram has arrived. Dropped when too much waits already.
  void push(const SocketAddress& remote, const IpAddress& local, Bytes bytes,
            std::uint8_t traffic_class);

 private:
  static constexpr std::size_t inbox_bytes_max = 4 << 20;
  static constexpr std::size_t batch_bytes_max = 65507;

  struct Datagram {
    SocketAddress remote;
    std::uint8_t traffic_class;
    std::size_t size;
  };

  SimulatedHost& host_;
  SocketAddress local_;
  bool open_ = true;
  std::map<SocketAddress, IpAddress> local_of_;  // sticky source
  std::vector<Datagram> inbox_;
  std::vector<std::uint8_t> inbox_bytes_;  // of all of them, back to back
  std::vector<std::uint8_t> taken_bytes_;
  std::vector<Batch> taken_;
  Counters counters_;
  Event readable_;
};

}  // namespace sidestream
