// What parses is written so that it is read as the same again.
#include "edge/edge_handover.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::edge;
  const std::string_view text = sidestream::text_of({bytes, size});
  if (const auto handover = parse_edge_handover(text))
    if (parse_edge_handover(serialize(*handover)) != handover) std::abort();
  if (const auto identity = parse_edge_identity(text))
    if (parse_edge_identity(serialize(*identity)) != identity) std::abort();
  return 0;
}
