#include "tunnel/peer_table.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

void stand_in(PeerTable::Queue& queue, bool& standing, PeerTable::Member& member, bool wants) {
  if (!wants || standing) return;
  standing = true;
  queue.push_back(&member);
}

}  // namespace

PeerTable::PeerTable(const PeerSurroundings& surroundings, const DeviceLimits& limits)
    : surroundings_(surroundings),
      peers_max_(limits.peers_max),
      allowed_ips_max_(limits.allowed_ips_max) {}

std::expected<PeerId, AddPeerError> PeerTable::add(const PeerConfiguration& configuration) {
  if (configuration.public_key == surroundings_.own.public_key)
    return std::unexpected(AddPeerError::own_key);
  if (find(configuration.public_key) != nullptr)
    return std::unexpected(AddPeerError::already_there);
  const auto static_static = dh(surroundings_.own.private_key, configuration.public_key);
  if (!static_static) return std::unexpected(AddPeerError::low_order_key);
  if (members_.size() >= peers_max_ ||
      allowed_ips_.size() + configuration.allowed_ips.size() > allowed_ips_max_)
    return std::unexpected(AddPeerError::too_many);

  const PeerId id{++last_id_};
  auto added = std::make_unique<Member>(id, configuration, *static_static, surroundings_);
  Member& member = *members_.emplace(id, std::move(added)).first->second;
  by_key_.emplace(configuration.public_key, &member);
  for (const IpPrefix& prefix : configuration.allowed_ips) allowed_ips_.insert(prefix, id);
  deadlines_.update(member, member.next_deadline());
  return id;
}

void PeerTable::remove(PeerId id) {
  Member* member = find(id);
  if (member == nullptr) return;
  deadlines_.remove(*member);
  std::erase(transmitting_, member);
  std::erase(initiating_, member);
  std::erase(reporting_, member);
  allowed_ips_.remove_peer(id);
  by_key_.erase(member->public_key());
  members_.erase(id);
}

PeerTable::Member* PeerTable::find(PeerId id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : found->second.get();
}

PeerTable::Member* PeerTable::find(const PublicKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

PeerTable::Member* PeerTable::find_by_index(std::uint32_t index) const {
  const auto owner = surroundings_.indices.owner_of(index);
  return owner ? find(*owner) : nullptr;
}

PeerTable::Member* PeerTable::find_by_address(const IpAddress& inner) const {
  const auto owner = allowed_ips_.find(inner);
  return owner ? find(*owner) : nullptr;
}

bool PeerTable::owns(const Member& member, const IpAddress& inner) const {
  return allowed_ips_.find(inner) == member.id();
}

void PeerTable::refresh(Instant now, Member& member) {
  deadlines_.update(member, member.next_deadline());
  stand_in(transmitting_, member.transmitting, member, member.wants_to_transmit(now));
  stand_in(initiating_, member.initiating, member, member.wants_to_initiate());
  stand_in(reporting_, member.reporting, member, member.has_event());
}

void PeerTable::drop_sessions() {
  for (const auto& [id, member] : members_) {
    member->drop_sessions();
    deadlines_.update(*member, member->next_deadline());
  }
}

void PeerTable::set_endpoint(PeerId id, const SocketAddress& endpoint) {
  Member* member = find(id);
  if (member == nullptr) return;
  member->set_endpoint(endpoint);
  deadlines_.update(*member, member->next_deadline());
}

PeerTable::Member* PeerTable::due(Instant now) const {
  Member* first = deadlines_.first();
  return first != nullptr && first->heap_deadline <= now ? first : nullptr;
}

Instant PeerTable::next_deadline() const {
  const Member* first = deadlines_.first();
  return first != nullptr ? first->heap_deadline : Instant::max();
}

void PeerTable::stop_transmitting() {
  transmitting_.front()->transmitting = false;
  transmitting_.pop_front();
}

void PeerTable::stop_initiating() {
  initiating_.front()->initiating = false;
  initiating_.pop_front();
}

void PeerTable::stop_reporting() {
  reporting_.front()->reporting = false;
  reporting_.pop_front();
}

}  // namespace sidestream::tunnel
