// Connections of this host's address that belong to earlier processes of the same program. Those
// have handed their WireGuard device over to us and keep their streams: what comes for one of
// these connections is theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "streams/bytes.h"
#include "streams/random.h"
#include "tunnel/connection_table.h"
#include "tunnel/tcp_ends.h"

namespace sidestream::tunnel {

// Names an earlier process for as long as we know it.
enum class PredecessorId : std::uint32_t {};

class HandedConnections {
 public:
  explicit HandedConnections(RandomSource& random) : owners_(16, EndsHash{KeyedHash(random)}) {}

  // Whoever had these ends before loses them.
  void add(const TcpEnds& ends, PredecessorId owner) { owners_[ends] = owner; }
  // Nothing happens when they are somebody else's.
  void remove(const TcpEnds& ends, PredecessorId owner);
  void remove_all(PredecessorId owner);

  [[nodiscard]] std::optional<PredecessorId> owner_of(const TcpEnds& ends) const;
  [[nodiscard]] std::vector<TcpEnds> of(PredecessorId owner) const;
  [[nodiscard]] bool empty() const { return owners_.empty(); }

 private:
  std::unordered_map<TcpEnds, PredecessorId, EndsHash> owners_;
};

// The little that has to be known of a packet to see whose it is. Nothing is verified.
struct PassingSegment {
  TcpEnds ends;  // of the connection, as the receiving host sees it
  bool syn = false;

  // nullopt when `packet` is no TCP segment.
  static std::optional<PassingSegment> parse(Bytes packet);
};

}  // namespace sidestream::tunnel
