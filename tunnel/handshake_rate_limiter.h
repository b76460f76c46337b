// How many handshakes each source may have while we are under load (section 5.3): a token bucket
// for each IPv4 address and each IPv6 /64.
#pragma once

#include <cstddef>
#include <map>

#include "streams/ip_address.h"
#include "streams/time.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

class HandshakeRateLimiter {
 public:
  explicit HandshakeRateLimiter(const DeviceLimits& limits);

  // Takes a token of the source; false when it has none, or when it is a new source and the table
  // is full.
  bool allow(Instant now, const IpAddress& source);
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  // Tokens as the time in which they grow.
  struct Bucket {
    Instant last;
    Duration tokens;
  };
  void forget_idle(Instant now);

  Duration cost_;
  Duration full_;
  std::size_t sources_max_;
  // A tree, because an attacker chooses the keys.
  std::map<IpAddress, Bucket> buckets_;
  Instant next_cleaning_{};
};

}  // namespace sidestream::tunnel
