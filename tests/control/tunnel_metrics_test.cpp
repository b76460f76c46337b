#include "control/tunnel_metrics.h"

#include <gtest/gtest.h>

#include <array>

namespace sidestream::control {
namespace {

const MetricsMoment moment{Instant(1000s), WallTime(1'795'275'000s)};

std::string sample(const MetricsPage& page, const std::string& name) {
  const std::size_t at = page.text().find('\n' + name);
  if (at == std::string::npos) return {};
  return page.text().substr(at + 1, page.text().find('\n', at + 1) - at - 1);
}

TEST(TunnelMetrics, OfAPeer) {
  TunnelPeerFacts facts{.peer = "home", .tunnel = {}, .last_heartbeat = {}, .round_trip = {}};
  facts.tunnel.traffic = {
      .received_datagrams = 1, .received_bytes = 148, .sent_datagrams = 2, .sent_bytes = 124};
  facts.tunnel.handshakes = 3;
  facts.tunnel.handshakes_given_up = 4;
  facts.tunnel.last_handshake = Instant(990s);
  facts.last_heartbeat = Instant(999500ms);
  facts.round_trip = 12500us;
  MetricsPage page;
  add_tunnel_peers(page, "sidecar", moment, std::array{facts});
  for (const char* line : {"sidestream_tunnel_received_bytes_total{sidecar=\"home\"} 148",
                           "sidestream_tunnel_sent_bytes_total{sidecar=\"home\"} 124",
                           "sidestream_tunnel_received_datagrams_total{sidecar=\"home\"} 1",
                           "sidestream_tunnel_sent_datagrams_total{sidecar=\"home\"} 2",
                           "sidestream_tunnel_handshakes_total{sidecar=\"home\"} 3",
                           "sidestream_tunnel_handshakes_given_up_total{sidecar=\"home\"} 4",
                           "sidestream_heartbeat_round_trip_seconds{sidecar=\"home\"} 0.0125"})
    EXPECT_EQ(sample(page, line), line);
  EXPECT_EQ(sample(page, "sidestream_tunnel_last_handshake_timestamp_seconds{"),
            "sidestream_tunnel_last_handshake_timestamp_seconds{sidecar=\"home\"} 1795274990");
  EXPECT_EQ(sample(page, "sidestream_heartbeat_last_timestamp_seconds{"),
            "sidestream_heartbeat_last_timestamp_seconds{sidecar=\"home\"} 1795274999.5");
}

TEST(TunnelMetrics, WhatIsNotKnownIsLeftOut) {
  MetricsPage page;
  add_tunnel_peers(page, "edge", moment, std::array{TunnelPeerFacts{.peer = "vps"}});
  EXPECT_EQ(sample(page, "sidestream_tunnel_handshakes_total{"),
            "sidestream_tunnel_handshakes_total{edge=\"vps\"} 0");
  EXPECT_EQ(sample(page, "sidestream_tunnel_last_handshake_timestamp_seconds{"), "");
  EXPECT_EQ(sample(page, "sidestream_heartbeat_round_trip_seconds{"), "");
}

TEST(TunnelMetrics, OneTunnelForAllHasNoLabel) {
  const std::array usage{TunnelUsage{.peer = "",
                                     .connections = 5,
                                     .connections_max = 10,
                                     .buffered_bytes = 8192,
                                     .buffered_bytes_max = 16384,
                                     .under_load = true}};
  MetricsPage page;
  add_tunnel_usage(page, "", usage);
  EXPECT_EQ(sample(page, "sidestream_tunnel_connections "), "sidestream_tunnel_connections 5");
  EXPECT_EQ(sample(page, "sidestream_tunnel_buffer_limit_bytes "),
            "sidestream_tunnel_buffer_limit_bytes 16384");
  EXPECT_EQ(sample(page, "sidestream_tunnel_under_load "), "sidestream_tunnel_under_load 1");
}

}  // namespace
}  // namespace sidestream::control
