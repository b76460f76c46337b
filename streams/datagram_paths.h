// What a UDP socket remembers of each remote address: from which local address it was reached
// last, and whether segmentation offload fails on the way to it.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>

#include "streams/ip_address.h"

namespace sidestream {

// A table of fixed size. Addresses that meet in one place push each other out, so a flood from
// invented sources costs an entry its memory until the next datagram from there, and nothing else.
class DatagramPaths {
 public:
  struct Path {
    std::optional<IpAddress> local;  // answer from here
    unsigned interface = 0;          // where it came in; needed for link-local addresses only
    // Datagrams of this size or more are too large for offload on that way.
    std::size_t segmentable_below = std::numeric_limits<std::size_t>::max();
  };

  [[nodiscard]] Path* find(const SocketAddress& remote) {
    Entry& entry = place_of(remote);
    return entry.used && entry.remote == remote ? &entry.path : nullptr;
  }

  // The entry for this address, empty when it is new. Valid until the next call for another one.
  Path& get(const SocketAddress& remote) {
    Entry& entry = place_of(remote);
    if (!entry.used || entry.remote != remote) entry = {.used = true, .remote = remote, .path = {}};
    return entry.path;
  }

  void forget(const SocketAddress& remote) {
    Entry& entry = place_of(remote);
    if (entry.remote == remote) entry = {};
  }

 private:
  struct Entry {
    bool used = false;
    SocketAddress remote;
    Path path;
  };
  static constexpr std::size_t paths_max = 1024;

  Entry& place_of(const SocketAddress& remote) {
    return entries_[std::hash<SocketAddress>{}(remote) % paths_max];
  }

  std::array<Entry, paths_max> entries_{};
};

}  // namespace sidestream
