// Every maximum and every time of the TCP/IP stack. First what the RFCs fix, then what is ours to
// choose, with the reason. The values in TcpLimits may be changed per stack; the defaults are for
// one program that carries other people's streams over a home line.
#pragma once

#include <cstddef>
#include <cstdint>

#include "streams/time.h"

namespace sidestream::tunnel {

// ---- from the specifications ----------------------------------------------------------------
inline constexpr std::size_t ipv4_header_bytes = 20;        // RFC 791, without options
inline constexpr std::size_t ipv6_header_bytes = 40;        // RFC 8200
inline constexpr std::size_t tcp_header_bytes = 20;         // RFC 9293 section 3.1
inline constexpr std::size_t tcp_options_bytes_max = 40;    // the same
inline constexpr std::size_t sack_blocks_max = 4;           // RFC 2018 section 3
inline constexpr std::uint16_t default_mss_v4 = 536;        // RFC 9293 section 3.7.1
inline constexpr std::uint16_t default_mss_v6 = 1220;       // the same
inline constexpr std::uint8_t window_scale_max = 14;        // RFC 7323 section 2.3
inline constexpr std::size_t path_mtu_v6_min = 1280;        // RFC 8200 section 5
inline constexpr std::size_t initial_window_segments = 10;  // RFC 6928
inline constexpr Duration paws_idle_max = 24 * 24h;         // RFC 7323 section 5.5
inline constexpr unsigned duplicate_ack_threshold = 3;      // RFC 5681, RFC 8985 DupThresh

// ---- ours -----------------------------------------------------------------------------------
// A home line never has a smaller path; a smaller announcement is an attack on the packet rate
// (CVE-2019-11479) or a mistake, so it is raised to this.
inline constexpr std::uint16_t mss_min = 216;
// The least packet that RFC 791 hosts must take is 576 bytes; ICMP cannot push us below it.
inline constexpr std::size_t path_mtu_v4_min = 576;
// Buffers grow in pieces of this size: large enough that a segment rarely crosses a border, small
// enough that thousands of quiet streams with one unread line each stay cheap.
inline constexpr std::size_t chunk_bytes = 8192;
// How much one stream may send before another one of the same peer has its turn, and how much a
// stream that was quiet before those that were not: what a server says in a handshake, or a page.
// Packets of different streams leave in one batch all the same.
inline constexpr std::ptrdiff_t turn_bytes = 8192;

// What tunnel_tcp_limits() takes for `patience`: longer than a provider needs to start a host
// again, and short enough that nobody finds streams of yesterday.
inline constexpr Duration stream_patience_default = 15min;

struct TcpLimits {
  // ---- how many -------------------------------------------------------------------------------
  std::size_t connections_max = 16384;  // in any state but TIME-WAIT
  std::size_t time_wait_max = 8192;     // the oldest makes room
  std::size_t listeners_max = 4096;
  // Half-open per listener; the oldest makes room (RFC 4987). An edge dials thousands of streams at
  // once, and a machine that slept for a second finds all their SYNs in its socket.
  std::size_t syn_backlog_max = 4096;
  std::size_t accept_backlog_max = 1024;  // established per listener, not yet polled as an event
  std::size_t replies_max = 256;          // resets and echo replies that wait to be sent

  // RFC 6056: half of all ports, so that guessing one is of little use.
  std::uint16_t ephemeral_port_first = 32768;
  std::uint16_t ephemeral_port_last = 65535;

  // ---- how much -------------------------------------------------------------------------------
  // Chunks of all buffers together. Beyond it every connection still has one chunk each way, so
  // that none is ever stuck.
  std::size_t memory_bytes_max = 256UL << 20U;
  std::size_t receive_window_bytes_initial = 64UL << 10U;
  // Grown by need. More than the bandwidth-delay product of a path: behind each hole waits what was
  // sent until it is filled. As much as a window scale of 8 can say.
  std::size_t receive_window_bytes_max = 65535UL << 8U;
  std::size_t send_buffer_bytes_max = 16UL << 20U;  // what is not acknowledged, sent or not
  std::size_t unsent_bytes_min = 256UL << 10U;      // see TcpStack::write: max(this, 2 cwnd)
  // How much may come with a SYN, as in RFC 7413 but without a cookie: text that was written before
  // the SYN left follows it at once, and a listener hands such text on before the handshake is
  // done. Only for networks whose hosts are known and whose packets come once. 0: none.
  std::size_t syn_text_bytes_max = 0;
  std::size_t segments_in_flight_max = 16384;
  std::size_t out_of_order_ranges_max = 1024;
  std::size_t sack_ranges_max = 1024;

  // ---- how long -------------------------------------------------------------------------------
  Duration rto_initial = 1s;           // RFC 6298 section 2.1
  Duration rto_initial_after_syn{3s};  // section 5.7, when the SYN itself was lost
  Duration rto_variance_min = 200ms;   // least distance between the RTT and the RTO
  Duration rto_max = 60s;              // section 2.5
  Duration syn_rto_max = 60s;          // the same while a connection is opened
  unsigned syn_retries_max = 6;        // 127 s in all
  unsigned syn_ack_retries_max = 5;
  Duration user_timeout = 120s;  // data unacknowledged that long: timed_out. RFC 5482, 1122 R2
  Duration delayed_ack = 40ms;   // RFC 1122 allows 500
  Duration time_wait = 60s;      // 2 MSL
  Duration keepalive_idle{0};    // 0: no keepalive
  Duration keepalive_interval = 10s;
  unsigned keepalive_probes_max = 6;
  Duration challenge_ack_interval = 500ms;  // at most one per connection in this time, RFC 5961
};

}  // namespace sidestream::tunnel
