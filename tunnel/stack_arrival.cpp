// What happens with a packet before a connection sees it.
#include <utility>

#include "tunnel/icmp.h"
#include "tunnel/stack_state.h"

namespace sidestream::tunnel {

void TcpStack::State::handle_packet(Instant now, Bytes packet) {
  const auto parsed = parse_ip_packet(packet);
  if (!parsed || !is_ours(parsed->destination) || is_ours(parsed->source)) return;
  if (parsed->protocol != static_cast<std::uint8_t>(IpProtocol::tcp)) {
    handle_icmp(now, *parsed);
    return;
  }
  const auto segment = parse_tcp_segment(parsed->payload, parsed->source, parsed->destination);
  if (!segment) return;
  handle_segment(now,
                 {.local = {parsed->destination, segment->destination_port},
                  .remote = {parsed->source, segment->source_port}},
                 *segment);
}

void TcpStack::State::handle_icmp(Instant now, const IpPacket& packet) {
  const auto message = parse_icmp(packet);
  if (!message) return;
  if (message->kind == IcmpMessage::Kind::echo_request) {
    std::vector<std::uint8_t> reply(configuration.mtu);
    const std::size_t bytes = write_icmp_echo_reply(reply, packet, message->echo);
    if (bytes != 0) replies.push(Bytes(reply).first(bytes));
    return;
  }
  if (message->kind == IcmpMessage::Kind::echo_reply) {
    path_mtus.handle_echo_reply(now, packet, message->echo);
    take_path_mtus(now);
    return;
  }
  const IcmpError& error = message->error;
  ConnectionEntry* const entry = table.find({.local = error.local, .remote = error.remote});
  if (entry == nullptr) return;
  if (error.kind == IcmpError::Kind::packet_too_big) {
    entry->connection.handle_packet_too_big(error.mtu, error.sequence);
  } else {
    entry->connection.handle_unreachable(error.sequence);
  }
  settle(now, *entry);
}

void TcpStack::State::handle_segment(Instant now, const TcpEnds& ends, const TcpSegment& segment) {
  if (ConnectionEntry* const entry = table.find(ends)) {
    const bool restored = turns.hear_from(now, *entry->peer);
    entry->connection.handle_segment(now, segment);
    settle(now, *entry);
    if (restored) handle_heard_again(now, ends.remote.address);
    return;
  }
  const TimeWait::Outcome outcome = time_wait.handle_segment(now, ends, segment);
  switch (outcome.verdict) {
    case TimeWait::Verdict::unknown:
      handle_without_connection(now, ends, segment, std::nullopt);
      return;
    case TimeWait::Verdict::reopen:
      handle_without_connection(now, ends, segment, outcome.sequence_after);
      return;
    case TimeWait::Verdict::done:
      return;
  }
}

// LISTEN and CLOSED (RFC 9293 sections 3.10.7.1 and 3.10.7.2).
void TcpStack::State::handle_without_connection(Instant now, const TcpEnds& ends,
                                                const TcpSegment& segment,
                                                std::optional<std::uint32_t> sequence_after) {
  if (segment.rst) return;
  const auto listener = listeners.find(ends.local.port);
  if (listener == listeners.end() || segment.ack) {
    reply_with_reset(replies, ends.local, ends.remote, segment);
    return;
  }
  // SYN and FIN at once is nothing that a program sends.
  if (!segment.syn || segment.fin) return;
  accept_syn(now, listener->second, ends, segment, sequence_after);
}

void TcpStack::State::accept_syn(Instant now, TcpListener& listener, const TcpEnds& ends,
                                 const TcpSegment& segment,
                                 std::optional<std::uint32_t> sequence_after) {
  const TcpLimits& limits = configuration.limits;
  if (listener.unannounced_count >= limits.accept_backlog_max) return;
  // A flood of SYNs pushes out the oldest of its own (RFC 4987 section 3.4).
  if (listener.half_open_count >= limits.syn_backlog_max) {
    if (listener.half_open.empty()) return;
    destroy(*listener.half_open.front());
  }
  if (table.size() >= limits.connections_max) return;
  ConnectionEntry& entry = table.add(std::make_unique<ConnectionEntry>(
      now, surroundings, ends, secrets_for(now, ends, sequence_after), segment));
  turns.join(now, entry);
  entry.connection.set_path_mtu(path_mtus.mtu(ends.remote.address));
  const bool restored = turns.hear_from(now, *entry.peer);
  entry.listener_port = listener.port;
  entry.listener = &listener;
  listener.half_open.push_back(entry);
  ++listener.half_open_count;
  if (limits.syn_text_bytes_max > 0 && !segment.payload.empty())
    entry.connection.open_early(now, segment);
  settle(now, entry);
  if (restored) handle_heard_again(now, ends.remote.address);
}

}  // namespace sidestream::tunnel
