// Which peer owns which inner addresses (section 2, "cryptokey routing"): the longest prefix wins.
// A path-compressed binary trie for each family.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "streams/ip_address.h"
#include "tunnel/session_indices.h"

namespace sidestream::tunnel {

class AllowedIps {
 public:
  AllowedIps();
  ~AllowedIps();
  AllowedIps(const AllowedIps&) = delete;
  AllowedIps& operator=(const AllowedIps&) = delete;

  // The prefix belongs to `peer` now, and to nobody else.
  void insert(const IpPrefix& prefix, PeerId peer);
  // Exactly this prefix, and only when it is `peer`'s.
  void remove(const IpPrefix& prefix, PeerId peer);
  void remove_peer(PeerId peer);
  void clear();

  [[nodiscard]] std::optional<PeerId> find(const IpAddress& address) const;
  // IPv4 first, in the order of addresses.
  [[nodiscard]] std::vector<IpPrefix> prefixes_of(PeerId peer) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Node;
  using Link = std::unique_ptr<Node>;
  void remove_peer_below(Link& link, PeerId peer);

  Link v4_;
  Link v6_;
  std::size_t size_ = 0;
};

}  // namespace sidestream::tunnel
