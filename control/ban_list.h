// Networks whose clients are not served, each for a time. A sidecar keeps one, and an edge one for
// each sidecar that tells it of its bans.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream::control {

// An IPv4-mapped IPv6 network is the IPv4 network that it holds, so that there is one way to mean a
// client.
[[nodiscard]] IpPrefix unmapped(const IpPrefix& network);

struct Ban {
  IpPrefix network;
  Instant until;
  bool operator==(const Ban&) const = default;
};

class BanList {
 public:
  explicit BanList(std::size_t bans_max) : bans_max_(bans_max) {}

  // From now on; of a network that is in the list the time counts anew. False: there is no room.
  bool ban(Instant now, const IpPrefix& network, Duration time);
  // False: it was not in the list, as exactly this network.
  bool unban(const IpPrefix& network);
  // An IPv4-mapped address is the IPv4 address.
  [[nodiscard]] bool covers(Instant now, const IpAddress& address) const;

  void forget_expired(Instant now);
  void clear();
  // In the order of the networks.
  [[nodiscard]] std::vector<Ban> bans() const;
  [[nodiscard]] std::size_t size() const { return until_.size(); }

 private:
  std::size_t bans_max_;
  std::map<IpPrefix, Instant> until_;
  // How many there are of each family and length: one look for each length that is in use.
  std::map<std::pair<bool, unsigned>, std::size_t> lengths_;
};

}  // namespace sidestream::control
