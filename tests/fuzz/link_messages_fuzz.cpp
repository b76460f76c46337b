// What parses is written as it was read; a packet that passes is looked at within its bounds.
#include "tunnel/link_messages.h"

#include <algorithm>
#include <cstdlib>

#include "tunnel/handed_connections.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::tunnel;
  const sidestream::Bytes body(bytes, size);
  if (const auto standing = parse_link_standing(body))
    if (!std::ranges::equal(sidestream::Bytes(serialize(*standing)).subspan(1), body)) std::abort();
  if (const auto connections = parse_connections(body))
    if (!std::ranges::equal(serialize(std::span(*connections)), body)) std::abort();
  (void)parse_peer_lost(body);
  (void)PassingSegment::parse(body);
  return 0;
}
