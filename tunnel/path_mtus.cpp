#include "tunnel/path_mtus.h"

#include <algorithm>
#include <utility>

#include "tunnel/icmp.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

PathMtus::PathMtus(std::size_t mtu, std::vector<IpAddress> addresses, std::uint16_t identifier)
    : mtu_(mtu), addresses_(std::move(addresses)), identifier_(identifier) {}

PathMtuSearch& PathMtus::search_for(const IpAddress& remote) {
  const std::size_t floor = remote.is_v4() ? path_mtu_v4_min : path_mtu_v6_min;
  return searches_.try_emplace(remote, std::min(floor, mtu_), mtu_).first->second;
}

void PathMtus::search(Instant now, const IpAddress& remote) {
  PathMtuSearch& search = search_for(remote);
  search.start(now);
  began(remote, search);
}

void PathMtus::doubt(Instant now, const IpAddress& remote) {
  PathMtuSearch& search = search_for(remote);
  search.doubt(now);
  began(remote, search);
}

void PathMtus::began(const IpAddress& remote, const PathMtuSearch& search) {
  const bool known = std::ranges::find(running_, remote) != running_.end();
  if (known || search.deadline() == Instant::max()) return;
  running_.push_back(remote);
  with_probes_.push_back(remote);
  deadline_ = std::min(deadline_, search.deadline());
}

std::size_t PathMtus::mtu(const IpAddress& remote) const {
  const auto found = searches_.find(remote);
  return found == searches_.end() ? mtu_ : found->second.mtu();
}

void PathMtus::handle_echo_reply(Instant now, const IpPacket& packet, Bytes echo) {
  ByteReader reader(echo);
  const std::uint16_t identifier = reader.u16();
  const std::uint16_t number = reader.u16();
  const auto found = searches_.find(packet.source);
  if (reader.failed() || identifier != identifier_ || found == searches_.end()) return;
  PathMtuSearch& search = found->second;
  const std::size_t before = search.mtu();
  search.handle_answer(now, number);
  with_probes_.push_back(packet.source);  // the answer may have begun a round
  deadline_ = std::min(deadline_, search.deadline());
  note_change(packet.source, before, search);
}

void PathMtus::handle_timeout(Instant now) {
  if (now < deadline_) return;
  deadline_ = Instant::max();
  std::erase_if(running_, [&](const IpAddress& remote) {
    PathMtuSearch& search = searches_.at(remote);
    const std::size_t before = search.mtu();
    search.handle_timeout(now);
    note_change(remote, before, search);
    if (search.deadline() == Instant::max()) return true;
    with_probes_.push_back(remote);
    deadline_ = std::min(deadline_, search.deadline());
    return false;
  });
}

void PathMtus::note_change(const IpAddress& remote, std::size_t before,
                           const PathMtuSearch& search) {
  if (search.mtu() != before) changes_.push_back({remote, search.mtu()});
}

std::optional<PathMtuChange> PathMtus::poll_change() {
  if (changes_.empty()) return std::nullopt;
  const PathMtuChange change = changes_.front();
  changes_.pop_front();
  return change;
}

std::size_t PathMtus::poll_transmit(MutableBytes buffer) {
  while (!with_probes_.empty()) {
    const IpAddress remote = with_probes_.front();
    if (const auto probe = searches_.at(remote).poll_probe())
      return write_probe(buffer, remote, *probe);
    with_probes_.pop_front();
  }
  return 0;
}

std::size_t PathMtus::write_probe(MutableBytes buffer, const IpAddress& remote,
                                  const PathMtuSearch::Probe& probe) const {
  const auto local = std::ranges::find(addresses_, remote.is_v4(), &IpAddress::is_v4);
  if (local == addresses_.end()) return 0;
  return write_icmp_echo_request(buffer.first(probe.packet_bytes), *local, remote, identifier_,
                                 probe.number);
}

bool is_path_mtu_probe(Bytes packet) {
  const auto parsed = parse_quoted_ip_packet(packet);
  return parsed && is_icmp_echo_request(*parsed);
}

}  // namespace sidestream::tunnel
