// A packet that parses keeps its addresses and its length when its ECN field is changed.
#include "tunnel/inner_packet.h"

#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::tunnel;
  const auto packet = InnerPacket::parse({bytes, size});
  if (!packet) return 0;
  std::vector<std::uint8_t> changed(bytes, bytes + size);
  set_ecn(changed, Ecn::ce);
  const auto again = InnerPacket::parse(changed);
  if (!again || again->source != packet->source || again->destination != packet->destination ||
      again->length != packet->length || ecn_of(again->traffic_class) != Ecn::ce)
    std::abort();
  return 0;
}
