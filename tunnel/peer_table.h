// All peers of a device: by what they are found, and which of them want something.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <unordered_map>

#include "tunnel/allowed_ips.h"
#include "tunnel/deadline_heap.h"
#include "tunnel/wireguard_peer.h"

namespace sidestream::tunnel {

class PeerTable {
 public:
  struct Member : WireGuardPeer, DeadlineHeapPlace {
    using WireGuardPeer::WireGuardPeer;
    // In which queues it stands.
    bool transmitting = false;
    bool initiating = false;
    bool reporting = false;
  };
  using Queue = std::deque<Member*>;

  // `surroundings` must outlive it.
  PeerTable(const PeerSurroundings& surroundings, const DeviceLimits& limits);

  std::expected<PeerId, AddPeerError> add(const PeerConfiguration& configuration);
  void remove(PeerId id);
  [[nodiscard]] Member* find(PeerId id) const;
  [[nodiscard]] Member* find(const PublicKey& key) const;
  // Whose handshake or session of ours has this index.
  [[nodiscard]] Member* find_by_index(std::uint32_t index) const;
  [[nodiscard]] Member* find_by_address(const IpAddress& inner) const;
  [[nodiscard]] bool owns(const Member& member, const IpAddress& inner) const;

  // To be called after everything that may have changed what a peer wants.
  void refresh(Instant now, Member& member);
  void drop_sessions();
  void set_endpoint(PeerId id, const SocketAddress& endpoint);

  // The due peer with the earliest deadline; null when none is due.
  [[nodiscard]] Member* due(Instant now) const;
  [[nodiscard]] Instant next_deadline() const;  // Instant::max(): none

  // Peers that want to send, to initiate, or to report; in the order in which they began to want
  // it. Whoever finds that one in front wants it no more takes it out.
  [[nodiscard]] Member* transmitting() const { return front(transmitting_); }
  [[nodiscard]] Member* initiating() const { return front(initiating_); }
  [[nodiscard]] Member* reporting() const { return front(reporting_); }
  void stop_transmitting();
  void stop_initiating();
  void stop_reporting();

 private:
  static Member* front(const Queue& queue) { return queue.empty() ? nullptr : queue.front(); }

  const PeerSurroundings& surroundings_;
  const std::size_t peers_max_;
  const std::size_t allowed_ips_max_;
  AllowedIps allowed_ips_;
  std::uint32_t last_id_ = 0;
  std::unordered_map<PeerId, std::unique_ptr<Member>> members_;
  std::unordered_map<PublicKey, Member*> by_key_;
  DeadlineHeap<Member> deadlines_;
  Queue transmitting_;
  Queue initiating_;
  Queue reporting_;
};

}  // namespace sidestream::tunnel
