#include "tunnel/behind_successor_io.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "streams/join_io.h"
#include "tunnel/inner_packet.h"

namespace sidestream::tunnel {
namespace {

// How late the successor may learn that a connection is over.
constexpr Duration standing_interval = 1s;

bool before(const TcpEnds& one, const TcpEnds& other) {
  return std::tie(one.local, one.remote) < std::tie(other.local, other.remote);
}

std::vector<TcpEnds> sorted(std::vector<TcpEnds> connections) {
  std::ranges::sort(connections, before);
  return connections;
}

}  // namespace

BehindSuccessor::BehindSuccessor(Network& network, TcpStack& stack, std::size_t mtu,
                                 std::vector<TcpEnds> told, std::unique_ptr<MessageLink> link,
                                 Callbacks callbacks)
    : network_(network),
      stack_(stack),
      mtu_(mtu),
      link_(std::move(link)),
      callbacks_(std::move(callbacks)),
      outgoing_(link_message_bytes_max),
      told_(sorted(std::move(told))) {}

Task<> BehindSuccessor::run() {
  co_await both(receive_loop(), both(transmit_loop(), tell_standing()));
}

void BehindSuccessor::stack_was_used() {
  used_ = true;
  used_changed_.notify_all();
}

// ---- in ----------------------------------------------------------------------------------------

Task<> BehindSuccessor::receive_loop() {
  while (!link_->ended()) {
    co_await link_->wait_readable();
    for (;;) {
      const Bytes message = link_->receive();
      if (message.empty()) break;
      handle_message(message);
    }
    callbacks_.stack_changed();
    stack_was_used();
  }
  // Whatever is sent now arrives nowhere.
  stack_.reset_all(network_.timers().now(), std::nullopt);
  callbacks_.stack_changed();
  callbacks_.finish();
}

void BehindSuccessor::handle_message(Bytes message) {
  const Bytes body = message.subspan(1);
  const Instant now = network_.timers().now();
  switch (static_cast<LinkMessageKind>(message[0])) {
    case LinkMessageKind::packets:
      handle_packets(body);
      return;
    case LinkMessageKind::path_restored:
      stack_.handle_path_restored(now);
      return;
    case LinkMessageKind::peer_lost:
      if (const auto peer = parse_peer_lost(body)) stack_.reset_all(now, *peer);
      return;
    case LinkMessageKind::finish:
      callbacks_.finish();
      return;
    case LinkMessageKind::standing:
      return;
  }
}

void BehindSuccessor::handle_packets(Bytes packets) {
  const Instant now = network_.timers().now();
  while (const auto inner = InnerPacket::parse(packets)) {
    stack_.handle_packet(now, packets.first(inner->length));
    packets = packets.subspan(inner->length);
  }
}

// ---- out ---------------------------------------------------------------------------------------

Task<> BehindSuccessor::wait_used() {
  while (!used_) co_await used_changed_.wait();
}

Task<> BehindSuccessor::transmit_loop() {
  for (;;) {
    const auto deadline = stack_.next_deadline();
    if (deadline)
      co_await first_of(wait_used(), network_.timers().sleep_until(*deadline));
    else
      co_await wait_used();
    used_ = false;
    stack_.handle_timeout(network_.timers().now());
    while (collect()) {
      while (!link_->send(Bytes(outgoing_).first(outgoing_bytes_))) co_await link_->wait_writable();
      callbacks_.stack_changed();
      co_await yield_now();
    }
    callbacks_.stack_changed();
  }
}

bool BehindSuccessor::collect() {
  outgoing_[0] = static_cast<std::uint8_t>(LinkMessageKind::packets);
  outgoing_bytes_ = 1;
  while (outgoing_.size() - outgoing_bytes_ >= mtu_) {
    const MutableBytes place = MutableBytes(outgoing_).subspan(outgoing_bytes_, mtu_);
    const std::size_t bytes = stack_.poll_transmit(network_.timers().now(), place);
    if (bytes == 0) break;
    outgoing_bytes_ += bytes;
  }
  return outgoing_bytes_ > 1;
}

Task<> BehindSuccessor::tell_standing() {
  for (;;) {
    const std::vector<TcpEnds> now = sorted(stack_.connections());
    LinkStanding standing;
    std::ranges::set_difference(told_, now, std::back_inserter(standing.gone), before);
    standing.connections = static_cast<std::uint32_t>(now.size());
    if (standing.gone.size() > standing_gone_max) standing.gone.resize(standing_gone_max);
    if (link_->send(serialize(standing))) {
      std::vector<TcpEnds> left;
      std::ranges::set_difference(told_, standing.gone, std::back_inserter(left), before);
      told_.clear();
      std::ranges::set_union(left, now, std::back_inserter(told_), before);
    }
    co_await network_.timers().sleep_for(standing_interval);
  }
}

}  // namespace sidestream::tunnel
