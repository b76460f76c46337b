#include "tunnel/predecessors_io.h"

#include <algorithm>
#include <utility>

#include "streams/join_io.h"
#include "tunnel/inner_packet.h"

namespace sidestream::tunnel {
namespace {

// What waits to be said to one that does not listen; more than it can ever be told in earnest.
constexpr std::size_t unsaid_max = 256;

std::vector<std::uint8_t> message_of(LinkMessageKind kind) {
  return {static_cast<std::uint8_t>(kind)};
}

Task<> wait_forever(Event& never) {
  for (;;) co_await never.wait();
}

}  // namespace

Predecessors::Predecessors(asio::any_io_executor executor, RandomSource& random,
                           std::function<void()> on_packets)
    : on_packets_(std::move(on_packets)), connections_(random), tasks_(std::move(executor)) {}

void Predecessors::adopt(Predecessor predecessor) {
  auto member = std::make_unique<Member>();
  member->id = PredecessorId{static_cast<std::uint32_t>(members_.size() + 1)};
  member->facts = std::move(predecessor.facts);
  member->link = std::move(predecessor.link);
  member->streams = predecessor.connections.size();
  for (const TcpEnds& ends : predecessor.connections) connections_.add(ends, member->id);
  members_.push_back(std::move(member));
}

Task<> Predecessors::run() {
  for (const auto& member : members_)
    if (member->link) tasks_.spawn(listen(*member), [](const std::exception_ptr&) {});
  Event never;
  co_await with_cleanup(wait_forever(never), tasks_.stop());
}

Task<> Predecessors::listen(Member& member) {
  while (!member.link->ended()) {
    co_await member.link->wait_readable();
    while (paused_) co_await resumed_.wait();
    receive(member);
    if (member.arrived.empty()) continue;
    on_packets_();
    while (!member.arrived.empty()) co_await member.arrived_taken.wait();
  }
  connections_.remove_all(member.id);
  member.link.reset();
  member.streams = 0;
  if (on_end_) on_end_(member.facts);
}

// Up to the next packets, which wait for poll_transmit.
void Predecessors::receive(Member& member) {
  flush(member);
  while (!paused_ && member.arrived.empty()) {
    const MutableBytes message = member.link->receive();
    if (message.empty()) return;
    handle_message(member, message);
  }
}

void Predecessors::handle_message(Member& member, MutableBytes message) {
  const MutableBytes body = message.subspan(1);
  if (message[0] == static_cast<std::uint8_t>(LinkMessageKind::packets)) {
    member.arrived = body;
  } else if (message[0] == static_cast<std::uint8_t>(LinkMessageKind::standing)) {
    const auto standing = parse_link_standing(body);
    if (!standing) return;
    member.streams = standing->connections;
    for (const TcpEnds& ends : standing->gone) connections_.remove(ends, member.id);
  }
}

// ---- packets -----------------------------------------------------------------------------------

bool Predecessors::take(Bytes packet) {
  if (connections_.empty()) return false;
  const auto passing = PassingSegment::parse(packet);
  if (!passing) return false;
  const auto owner = connections_.owner_of(passing->ends);
  Member* const member = owner ? find(*owner) : nullptr;
  if (member == nullptr || !member->link) return false;
  if (member->outgoing.size() + packet.size() > link_message_bytes_max) flush(*member);
  if (member->outgoing.empty()) member->outgoing = message_of(LinkMessageKind::packets);
  member->outgoing.insert(member->outgoing.end(), packet.begin(), packet.end());
  return true;
}

void Predecessors::flush() {
  for (const auto& member : members_) flush(*member);
}

void Predecessors::flush(Member& member) {
  if (!member.link) return;
  while (!member.unsaid.empty() && member.link->send(member.unsaid.front()))
    member.unsaid.erase(member.unsaid.begin());
  if (member.outgoing.empty()) return;
  member.link->send(member.outgoing);
  member.outgoing.clear();
}

std::size_t Predecessors::poll_transmit(MutableBytes buffer) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = *members_[turn_++ % members_.size()];
    if (member.arrived.empty()) continue;
    const std::size_t bytes = cut_packet(member, buffer);
    if (member.arrived.empty()) receive(member);  // the next message, while it is our turn
    if (member.arrived.empty()) member.arrived_taken.notify_all();
    if (bytes != 0) return bytes;
  }
  return 0;
}

// A message that makes no sense is dropped from there on.
std::size_t Predecessors::cut_packet(Member& member, MutableBytes buffer) {
  const MutableBytes rest = std::exchange(member.arrived, MutableBytes());
  const auto inner = InnerPacket::parse(rest);
  if (!inner || inner->length > buffer.size()) return 0;
  member.arrived = rest.subspan(inner->length);
  const Bytes packet = rest.first(inner->length);
  std::ranges::copy(packet, buffer.begin());
  note_new_connection(member, packet);
  return packet.size();
}

// A stream that was about to be opened when the tunnel was handed over.
void Predecessors::note_new_connection(const Member& member, Bytes packet) {
  const auto passing = PassingSegment::parse(packet);
  if (!passing || !passing->syn) return;
  const TcpEnds ends{.local = passing->ends.remote, .remote = passing->ends.local};
  if (!connections_.owner_of(ends)) connections_.add(ends, member.id);
}

// ---- what they have to know --------------------------------------------------------------------

void Predecessors::say(Member& member, std::vector<std::uint8_t> message) {
  if (!member.link || member.unsaid.size() >= unsaid_max) return;
  member.unsaid.push_back(std::move(message));
  flush(member);
}

void Predecessors::handle_path_restored() {
  for (const auto& member : members_) say(*member, message_of(LinkMessageKind::path_restored));
}

void Predecessors::handle_peer_lost(const IpAddress& peer) {
  for (const auto& member : members_) say(*member, serialize_peer_lost(peer));
}

void Predecessors::finish() {
  for (const auto& member : members_) say(*member, message_of(LinkMessageKind::finish));
}

// ---- what we know of them ----------------------------------------------------------------------

std::vector<PredecessorStatus> Predecessors::status() const {
  std::vector<PredecessorStatus> all;
  for (const auto& member : members_)
    if (member->link) all.push_back({member->facts, member->streams});
  return all;
}

std::size_t Predecessors::streams() const {
  std::size_t streams = 0;
  for (const auto& member : members_) streams += member->streams;
  return streams;
}

std::vector<Predecessors::Description> Predecessors::describe() const {
  std::vector<Description> all;
  for (const auto& member : members_)
    if (member->link)
      all.push_back({member->facts, connections_.of(member->id), member->link->descriptor()});
  return all;
}

void Predecessors::pause() {
  paused_ = true;
}

void Predecessors::resume() {
  paused_ = false;
  resumed_.notify_all();
}

Predecessors::Member* Predecessors::find(PredecessorId id) const {
  const auto index = static_cast<std::size_t>(std::to_underlying(id)) - 1;
  return index < members_.size() ? members_[index].get() : nullptr;
}

}  // namespace sidestream::tunnel
