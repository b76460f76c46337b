#include "control/tunnel_metrics.h"

#include <chrono>

namespace sidestream::control {
namespace {

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

double timestamp_seconds(const MetricsMoment& moment, Instant then) {
  return seconds(moment.wall_now.time_since_epoch() - (moment.now - then));
}

void add_tunnel_peers(MetricsPage& page, std::string_view label, const MetricsMoment& moment,
                      std::span<const TunnelPeerFacts> peers) {
  const auto add_count = [&](std::uint64_t tunnel::PeerTraffic::* count) {
    for (const TunnelPeerFacts& one : peers)
      page.add(one.tunnel.traffic.*count, {{label, one.peer}});
  };
  page.counter("sidestream_tunnel_received_bytes_total",
               "UDP payload that came from the peer and is authentic.");
  add_count(&tunnel::PeerTraffic::received_bytes);
  page.counter("sidestream_tunnel_sent_bytes_total", "UDP payload that was sent to the peer.");
  add_count(&tunnel::PeerTraffic::sent_bytes);
  page.counter("sidestream_tunnel_received_datagrams_total",
               "Datagrams that came from the peer and are authentic.");
  add_count(&tunnel::PeerTraffic::received_datagrams);
  page.counter("sidestream_tunnel_sent_datagrams_total", "Datagrams that were sent to the peer.");
  add_count(&tunnel::PeerTraffic::sent_datagrams);

  page.counter("sidestream_tunnel_handshakes_total", "Handshakes that were completed.");
  for (const TunnelPeerFacts& one : peers) page.add(one.tunnel.handshakes, {{label, one.peer}});
  page.counter("sidestream_tunnel_handshakes_given_up_total",
               "Times that a handshake was given up after 90 s without an answer.");
  for (const TunnelPeerFacts& one : peers)
    page.add(one.tunnel.handshakes_given_up, {{label, one.peer}});
  page.gauge("sidestream_tunnel_last_handshake_timestamp_seconds",
             "When the last handshake was completed.");
  for (const TunnelPeerFacts& one : peers)
    if (one.tunnel.last_handshake)
      page.add(timestamp_seconds(moment, *one.tunnel.last_handshake), {{label, one.peer}});

  page.gauge("sidestream_heartbeat_last_timestamp_seconds",
             "When the peer was last heard inside the tunnel.");
  for (const TunnelPeerFacts& one : peers)
    if (one.last_heartbeat)
      page.add(timestamp_seconds(moment, *one.last_heartbeat), {{label, one.peer}});
  page.gauge("sidestream_heartbeat_round_trip_seconds",
             "Round trip of the last heartbeat, as the sidecar measured it.");
  for (const TunnelPeerFacts& one : peers)
    if (one.round_trip) page.add(seconds(*one.round_trip), {{label, one.peer}});
}

void add_tunnel_usage(MetricsPage& page, std::string_view label,
                      std::span<const TunnelUsage> tunnels) {
  const auto add = [&](const TunnelUsage& one, std::uint64_t value) {
    if (label.empty())
      page.add(value);
    else
      page.add(value, {{label, one.peer}});
  };
  page.gauge("sidestream_tunnel_connections", "TCP connections inside the tunnel.");
  for (const TunnelUsage& one : tunnels) add(one, one.connections);
  page.gauge("sidestream_tunnel_connections_limit", "How many there can be.");
  for (const TunnelUsage& one : tunnels) add(one, one.connections_max);
  page.gauge("sidestream_tunnel_buffer_bytes", "Buffers of TCP inside the tunnel.");
  for (const TunnelUsage& one : tunnels) add(one, one.buffered_bytes);
  page.gauge("sidestream_tunnel_buffer_limit_bytes",
             "Beyond this every connection has one buffer each way and no more.");
  for (const TunnelUsage& one : tunnels) add(one, one.buffered_bytes_max);
  page.gauge("sidestream_tunnel_under_load",
             "1 while handshakes come so fast that their senders are asked for cookies.");
  for (const TunnelUsage& one : tunnels) add(one, one.under_load ? 1 : 0);
}

}  // namespace sidestream::control
