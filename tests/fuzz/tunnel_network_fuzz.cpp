// What is fit for a tunnel has an edge and room for sidecars, and its text gives the same network.
#include <cstdlib>

#include "edge/tunnel_network.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::edge;
  const auto network = parse_tunnel_network(sidestream::text_of({bytes, size}));
  if (!network && network.error().empty()) std::abort();
  if (!network) return 0;
  if (parse_tunnel_network(network->text()) != network) std::abort();
  if (!network->contains(edge_address_in(*network)) || sidecar_addresses_in(*network) == 0)
    std::abort();
  return 0;
}
