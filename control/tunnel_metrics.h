// What edge and sidecar both measure of their tunnels.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/metrics_page.h"
#include "streams/time.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::control {

// Who is at the other end of a tunnel, and what went through it.
struct TunnelPeerFacts {
  std::string peer{};  // the value of the label
  tunnel::PeerStatus tunnel{};
  std::optional<Instant> last_heartbeat{};
  std::optional<Duration> round_trip{};
};

// The TCP in a tunnel.
struct TunnelUsage {
  std::string peer;
  std::size_t connections = 0;
  std::size_t connections_max = 0;
  std::size_t buffered_bytes = 0;
  std::size_t buffered_bytes_max = 0;
  bool under_load = false;
};

// One moment on both clocks.
struct MetricsMoment {
  Instant now;
  WallTime wall_now;
};
[[nodiscard]] double timestamp_seconds(const MetricsMoment& moment, Instant then);

// `label` is `sidecar` or `edge`; empty: one tunnel for all.
void add_tunnel_peers(MetricsPage& page, std::string_view label, const MetricsMoment& moment,
                      std::span<const TunnelPeerFacts> peers);
void add_tunnel_usage(MetricsPage& page, std::string_view label,
                      std::span<const TunnelUsage> tunnels);

}  // namespace sidestream::control
