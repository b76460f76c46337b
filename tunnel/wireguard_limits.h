// WireGuard's constants and the maxima of our implementation. Section numbers are those of the
// WireGuard paper.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "streams/time.h"

namespace sidestream::tunnel {

// ---- from the specification ------------------------------------------------------------------

// Section 6.1. A session is renewed after the first pair and is dead after the second. The limit
// on messages is the paper's; it leaves the replay window (8128) free of wrapping.
inline constexpr std::uint64_t rekey_after_messages = std::uint64_t{1} << 60U;
inline constexpr std::uint64_t reject_after_messages = ~std::uint64_t{0} - (1U << 13U);
inline constexpr Duration rekey_after_time = 120s;
inline constexpr Duration reject_after_time = 180s;
inline constexpr Duration rekey_timeout = 5s;
inline constexpr Duration rekey_attempt_time = 90s;
inline constexpr Duration keepalive_timeout = 10s;
// Section 6.1: what is added to rekey_timeout so that two peers do not keep colliding.
inline constexpr Duration rekey_jitter_max = 333ms;
// Section 6.2: a receiving initiator renews so early that the answer comes before the key is dead.
inline constexpr Duration rekey_on_receive_after_time =
    reject_after_time - keepalive_timeout - rekey_timeout;
// Section 6.3: keys unused for so long are wiped.
inline constexpr Duration zero_keys_after_time = 3 * reject_after_time;
// Section 5.3: how long a cookie secret, and so a cookie, is good.
inline constexpr Duration cookie_secret_lifetime = 120s;

// Section 5.4: whole messages. A data message without content is a keepalive.
inline constexpr std::size_t initiation_bytes = 148;
inline constexpr std::size_t response_bytes = 92;
inline constexpr std::size_t cookie_reply_bytes = 64;
inline constexpr std::size_t transport_header_bytes = 16;
inline constexpr std::size_t aead_tag_bytes = 16;
inline constexpr std::size_t keepalive_bytes = transport_header_bytes + aead_tag_bytes;
// Section 5.4.6: content is padded to a multiple of this, but not beyond the MTU.
inline constexpr std::size_t padding_multiple = 16;
// What a data message may add to the packet in it.
inline constexpr std::size_t transport_overhead_max =
    transport_header_bytes + (padding_multiple - 1) + aead_tag_bytes;

// ---- as Linux has it -------------------------------------------------------------------------

// How many timeouts of one series of initiations are answered with another; 20 are sent in all.
inline constexpr unsigned handshake_retries_max = 18;
// Initiations of one peer that are closer together than this are a flood (section 5.1).
inline constexpr Duration initiation_interval_min = 20ms;
// A cookie is not used in the last seconds of its life, because it must still be good on arrival.
inline constexpr Duration cookie_latency = 5s;
// RFC 6479 with 8192 bits, one 64-bit word of which is always being cleared.
inline constexpr std::uint64_t replay_window_size = 8192 - 64;
// Handshake messages carry DSCP AF41, so that they survive a full link.
inline constexpr std::uint8_t handshake_traffic_class = 0x88;
// Keeps the load of section 5.3 "on" between two bursts.
inline constexpr Duration under_load_memory = 1s;

// ---- ours ------------------------------------------------------------------------------------

// Jumbo frames are the largest that make sense between hosts that are not on one machine.
inline constexpr std::size_t mtu_max = 9000;
// No datagram that the device makes is longer.
inline constexpr std::size_t datagram_bytes_max = mtu_max + transport_overhead_max;
// The same when the MTU is known.
constexpr std::size_t datagram_bytes_for(std::size_t mtu) {
  return std::max(std::min(mtu, mtu_max) + keepalive_bytes, initiation_bytes);
}
// How often our own liveness may force a handshake (start_handshake with `impatient`). Each one
// makes the response to the one before worthless, so while none is answered the pause grows: a path
// that has become slow is not a dead one.
inline constexpr Duration impatient_rekey_timeout = 1s;
inline constexpr Duration impatient_rekey_timeout_max = 2500ms;

struct DeviceLimits {
  std::size_t peers_max = 4096;
  std::size_t allowed_ips_max = 65536;  // of all peers together
  // Packets that wait for a session: per peer as Linux has it (the oldest is dropped), and bytes of
  // all peers together, so that a thousand unreachable peers do not eat the memory.
  std::size_t staged_packets_max = 128;
  std::size_t staged_bytes_max = 8U << 20U;
  // One handshake message costs some 200 us, data packets wait meanwhile: at most so many in one
  // turn. What comes faster waits in the queue; a queue at an eighth is "under load".
  std::size_t handshakes_per_turn_max = 16;
  Duration handshake_turn = 10ms;
  std::size_t handshake_queue_max = 1024;
  std::size_t under_load_from = handshake_queue_max / 8;
  // Cookie replies that wait to be sent; more are not made.
  std::size_t cookie_replies_max = 256;
  // Under load: handshakes per second and source (an IPv4 address, an IPv6 /64), and how many
  // sources are remembered; unknown ones are refused while the table is full.
  std::size_t handshakes_per_source_second = 20;
  std::size_t handshakes_per_source_burst = 5;
  std::size_t rate_limited_sources_max = 8192;
};

}  // namespace sidestream::tunnel
