// Everything the device knows of one peer: handshake, sessions, timers, staged packets, endpoint. A
// packet machine; what the paper says of two peers is here, what it says of many is in
// wireguard_device.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tunnel/cookie.h"
#include "tunnel/keypair_slots.h"
#include "tunnel/noise.h"
#include "tunnel/peer_timers.h"
#include "tunnel/staged_packets.h"
#include "tunnel/timestamp.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {

// What the device lends to each of its peers; outlives them.
struct PeerSurroundings {
  const KeyPair& own;
  std::size_t mtu;
  std::size_t staged_packets_max;
  RandomSource& random;
  SessionIndices& indices;
  Tai64nClock& timestamps;
  StagedBudget& staged_budget;
};

class WireGuardPeer {
 public:
  // `static_static` is dh(own, peer).
  WireGuardPeer(PeerId id, const PeerConfiguration& configuration,
                const SymmetricKey& static_static, const PeerSurroundings& surroundings);
  WireGuardPeer(const WireGuardPeer&) = delete;
  WireGuardPeer& operator=(const WireGuardPeer&) = delete;

  [[nodiscard]] PeerId id() const { return id_; }
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const std::optional<SocketAddress>& endpoint() const { return endpoint_; }
  [[nodiscard]] PeerStatus status() const;
  void set_endpoint(const SocketAddress& endpoint);
  void set_preshared_key(const PresharedKey& key) { preshared_key_ = key; }
  void drop_sessions();

  // ---- handshake messages (mac1 is good) -------------------------------------------------------
  // All of them return false, and have changed nothing, when something is wrong with the message.
  bool handle_initiation(Instant now, const SocketAddress& from, const ClaimedInitiator& claimed,
                         const Initiation& message);
  [[nodiscard]] bool expects_response(std::uint32_t receiver) const;
  bool handle_response(Instant now, const SocketAddress& from, const Response& message);
  bool handle_cookie_reply(Instant now, const CookieReply& reply);

  // ---- data messages ---------------------------------------------------------------------------
  // The text in `datagram`, with padding, empty for a keepalive; nullopt when it is not authentic,
  // a replay or too late.
  std::optional<MutableBytes> handle_transport(Instant now, const SocketAddress& from,
                                               const TransportHeader& header,
                                               MutableBytes datagram);
  struct Sealed {
    WireGuardDevice::Sealed::Verdict verdict;
    std::size_t datagram_bytes = 0;
  };
  // As WireGuardDevice::seal.
  Sealed seal(Instant now, MutableBytes buffer, std::size_t packet_bytes);

  // As in WireGuardDevice.
  void start_handshake(Instant now, bool impatient);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const { return timers_.next_deadline(); }

  // ---- what it wants to send -------------------------------------------------------------------
  // An initiation costs a handshake's work, so the device decides when.
  [[nodiscard]] bool wants_to_initiate() const { return initiation_ != Wanted::no; }
  std::optional<WireGuardDevice::Transmit> poll_initiation(Instant now, MutableBytes buffer);
  // A response, staged packets, a keepalive.
  [[nodiscard]] bool wants_to_transmit(Instant now) const {
    return response_ || keepalive_due_ || (!staged_.empty() && sending_session(now) != nullptr);
  }
  std::optional<WireGuardDevice::Transmit> poll_transmit(Instant now, MutableBytes buffer);

  // The next thing that happened; each kind is reported once however often it happened meanwhile.
  [[nodiscard]] bool has_event() const { return events_ != 0; }
  std::optional<DeviceEvent> poll_event();

 private:
  enum class Wanted : std::uint8_t { no, yes, yes_and_forget_local_address };
  // Our initiation that waits for its response. The response is bound to it: it is gone as soon as
  // a session came of it.
  struct Outgoing {
    SessionIndex index;
    InitiatorState noise;
  };

  void request_handshake(Instant now, Duration pause, Wanted wanted);
  void begin_session(Instant now, Keypair::Names names, const SessionKeys& keys, bool initiator);
  void complete_handshake(Instant now);
  void learn_endpoint(const SocketAddress& from);
  void keep_key_fresh_after_receiving(Instant now);
  [[nodiscard]] Keypair* sending_session(Instant now) const;
  // Seals the `packet_bytes` at buffer[transport_header_bytes …].
  std::size_t seal_under(Keypair& keypair, Instant now, MutableBytes buffer,
                         std::size_t packet_bytes);
  [[nodiscard]] WireGuardDevice::Transmit transmit(std::size_t datagram_bytes) const;
  void report(DeviceEvent::Kind kind) { events_ |= 1U << static_cast<unsigned>(kind); }

  const PeerId id_;
  const PublicKey public_key_;
  PresharedKey preshared_key_;
  const SymmetricKey static_static_;
  const SymmetricState noise_begin_;
  const Duration persistent_keepalive_;
  const PeerSurroundings& surroundings_;

  std::optional<SocketAddress> endpoint_;
  PeerTimers timers_;
  CookieJar cookies_;
  std::optional<Outgoing> outgoing_;
  KeypairSlots slots_;
  StagedPackets staged_;

  // Of the peer's initiations.
  Timestamp newest_timestamp_;
  std::optional<Instant> last_accepted_initiation_;

  Wanted initiation_ = Wanted::no;
  std::optional<std::array<std::uint8_t, response_bytes>> response_;
  bool keepalive_due_ = false;
  bool renewed_after_receiving_ = false;  // once per session

  unsigned events_ = 0;
  std::optional<Instant> last_handshake_;
  std::optional<Instant> unanswered_since_;
  unsigned unanswered_ = 0;  // initiations
  PeerTraffic traffic_;
  std::uint64_t handshakes_ = 0;
  std::uint64_t handshakes_given_up_ = 0;
};

}  // namespace sidestream::tunnel
