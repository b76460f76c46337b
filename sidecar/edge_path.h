// Finding the edge's UDP address: which addresses of its names to try, when to ask DNS again, and
// when to stop looking. A dialogue without DNS, sockets or clock; one per edge.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream::sidecar {

struct EdgePathLimits {
  // In the first round over all addresses, one that does not answer costs this long …
  Duration first_try = 1s;
  // … and later half as long as WireGuard's own retry: whoever waits for us waits now. A little
  // longer than the device's pause between impatient handshakes, so that each try is one.
  Duration later_try = 2600ms;
  Duration resolve_interval = 10s;  // while looking
  // So many addresses without an answer, and the next one is tried from a fresh socket.
  std::size_t tries_before_rebind = 4;
  std::size_t addresses_max = 32;
};

class EdgePath {
 public:
  struct Action {
    enum class Kind {
      resolve,  // ask for all addresses of all names of the edge, then handle_resolved or _failed
      try_address,  // point the peer at `address` and start a handshake at once
      rebind,       // leave by another UDP socket from now on
      wait,         // nothing to do until `until` (nullopt: until something happens)
    };
    Kind kind;
    SocketAddress address{};
    std::optional<Instant> until{};
  };

  explicit EdgePath(const EdgePathLimits& limits = {}) : limits_(limits) {}

  // What to do now. Asking again without anything having happened continues where it was.
  Action poll(Instant now);

  // The result of `resolve`, in the order of preference.
  void handle_resolved(Instant now, const std::vector<SocketAddress>& addresses);
  void handle_resolve_failed(Instant now);
  // The edge answered: stay with the address in use.
  void handle_alive();
  // The edge does not answer any more (missed heartbeats, WireGuard gave up): look again.
  void handle_lost(Instant now);

  [[nodiscard]] bool looking() const { return looking_; }

 private:
  EdgePathLimits limits_;
  bool looking_ = true;
  bool resolving_ = false;
  Instant resolve_at_{};
  Instant try_at_{};
  std::vector<SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  std::size_t tries_ = 0;  // since looking began
  std::size_t tries_from_socket_ = 0;
};

}  // namespace sidestream::sidecar
