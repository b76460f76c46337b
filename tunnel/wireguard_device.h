// A WireGuard interface with its peers, in user space: a packet machine without sockets, clock or
// randomness of its own. The WireGuard paper (Donenfeld, "WireGuard: Next Generation Kernel
// Network Tunnel") is the specification; section numbers are its own. Both roles.
//
// The owner runs this loop on one thread: feed received datagrams to handle_datagram, seal
// outgoing packets in place with seal, call handle_timeout at next_deadline, and after any of
// them drain poll_transmit and poll_event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/random.h"
#include "streams/secret.h"
#include "streams/time.h"
#include "tunnel/wireguard_keys.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

// Names a peer for the life of the device; never reused, never PeerId{}.
enum class PeerId : std::uint32_t {};

struct PeerConfiguration {
  PublicKey public_key;
  PresharedKey preshared_key;  // all zero: none
  std::vector<IpPrefix> allowed_ips;
  std::optional<SocketAddress> endpoint;
  Duration persistent_keepalive{0};  // 0: off
};

enum class AddPeerError { own_key, already_there, low_order_key, too_many };

// Datagrams that authenticated (received) or were sent, and the bytes of UDP payload in them.
struct PeerTraffic {
  std::uint64_t received_datagrams = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_datagrams = 0;
  std::uint64_t sent_bytes = 0;

  void count_received(std::size_t bytes) {
    ++received_datagrams;
    received_bytes += bytes;
  }
  void count_sent(std::size_t bytes) {
    ++sent_datagrams;
    sent_bytes += bytes;
  }
};

// What a status display shows of a peer.
struct PeerStatus {
  std::optional<SocketAddress> endpoint;
  std::optional<Instant> last_handshake;
  PeerTraffic traffic;
  std::uint64_t handshakes = 0;           // that were completed
  std::uint64_t handshakes_given_up = 0;  // 90 s without an answer
  // Since when our initiations have had no answer; a name behind the endpoint may resolve to
  // something else by now.
  std::optional<Instant> unanswered_since;
};

struct DeviceEvent {
  enum class Kind {
    handshake_completed,  // a session was derived; packets flow
    handshake_gave_up,    // 90 s without an answer; staged packets were dropped
    endpoint_changed,     // the peer roamed
    sessions_zeroed,      // 540 s after the last session was derived
  };
  Kind kind;
  PeerId peer;
};

class WireGuardDevice {
 public:
  // `random` must outlive the device. `mtu` is that of the tunnel (inner packets).
  WireGuardDevice(const PrivateKey& private_key, std::size_t mtu, RandomSource& random,
                  const DeviceLimits& limits = {});
  ~WireGuardDevice();
  WireGuardDevice(const WireGuardDevice&) = delete;
  WireGuardDevice& operator=(const WireGuardDevice&) = delete;

  [[nodiscard]] const PublicKey& public_key() const;

  // ---- peers -------------------------------------------------------------------------------
  std::expected<PeerId, AddPeerError> add_peer(const PeerConfiguration& configuration);
  void remove_peer(PeerId peer);  // wipes its keys; unknown ids are ignored
  [[nodiscard]] std::optional<PeerId> find_peer(const PublicKey& key) const;
  void set_endpoint(PeerId peer, const SocketAddress& endpoint);
  // Counts from the next handshake on.
  void set_preshared_key(PeerId peer, const PresharedKey& key);
  [[nodiscard]] std::optional<PeerStatus> status(PeerId peer) const;
  // The peer that owns an inner address (longest prefix), for sending.
  [[nodiscard]] std::optional<PeerId> route(const IpAddress& inner) const;
  // Starts a new handshake now, even when a session is alive; at most one per REKEY_TIMEOUT unless
  // `impatient`, which allows one after a second, and while none is answered one in 2.5 s (our own
  // liveness found the peer gone).
  void start_handshake(Instant now, PeerId peer, bool impatient = false);
  // Wipes all handshakes, sessions and staged packets of all peers: after the machine was suspended
  // or restored from a snapshot, when counters may have been used twice.
  void drop_sessions();

  // ---- time --------------------------------------------------------------------------------
  // Ties the wall clock to the monotonic one, for TAI64N timestamps. To be called at start and
  // whenever the wall clock may have moved. Timestamps sent never go backwards all the same.
  void set_wall_clock(Instant now, WallTime wall);
  // The greatest timestamp sent so far, to be kept over restarts, and its way back in.
  [[nodiscard]] Timestamp last_timestamp() const;
  void set_last_timestamp(const Timestamp& timestamp);

  void handle_timeout(Instant now);
  // Only reads what is stored; may be in the past. nullopt: nothing is due ever, until something
  // else happens.
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  // ---- datagrams ---------------------------------------------------------------------------
  // An inner packet that authenticated, passed the replay window and came from one of the peer's
  // allowed IPs; padding is cut. A view into the datagram that was handed in.
  struct Received {
    PeerId peer;
    MutableBytes packet;
  };
  // Opens in place. nullopt for everything that is not an inner packet: handshake messages (their
  // answers are in poll_transmit), keepalives, and all that is wrong, which gets no answer.
  // `traffic_class` is that of the outer IP header: its ECN mark is carried inward (RFC 6040).
  std::optional<Received> handle_datagram(Instant now, const SocketAddress& from,
                                          MutableBytes datagram, std::uint8_t traffic_class = 0);

  // Seals an inner packet that stands at buffer[transport_header_bytes …] and is packet_bytes
  // long, padding it; buffer needs transport_overhead_max bytes more than the packet.
  struct Sealed {
    enum class Verdict {
      sealed,       // buffer.first(datagram_bytes) is to be sent to `endpoint`
      staged,       // no session yet: copied, will come out of poll_transmit; a handshake was begun
      no_route,     // no peer has that destination, or it is no IP packet of at most `mtu` bytes
      no_endpoint,  // the peer's address is not known yet
    };
    Verdict verdict;
    std::size_t datagram_bytes = 0;
    SocketAddress endpoint{};
    PeerId peer{};
    std::uint8_t traffic_class = 0;  // for the outer header: the inner ECN field, DSCP 0
  };
  Sealed seal(Instant now, MutableBytes buffer, std::size_t packet_bytes);

  // The next datagram that the machine itself wants to send (handshakes, cookies, keepalives,
  // staged packets), written into `buffer` (at least datagram_bytes_for(mtu)).
  struct Transmit {
    SocketAddress to;
    std::size_t datagram_bytes = 0;
    bool handshake = false;          // an initiation or a response
    PeerId peer{};                   // PeerId{} for cookie replies, which are no peer's
    std::uint8_t traffic_class = 0;  // for the outer header: AF41 for handshakes, else as in Sealed
    bool forget_local_address = false;  // the peer did not answer; first forget the sticky source
  };
  std::optional<Transmit> poll_transmit(Instant now, MutableBytes buffer);
  std::optional<DeviceEvent> poll_event();

  // Whether the under-load state (cookies, section 5.3) is on, for status and tests.
  [[nodiscard]] bool under_load(Instant now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sidestream::tunnel
