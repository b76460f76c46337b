// What parses is written so that it is read as the same again.
#include "sidecar/sidecar_handover.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::sidecar;
  const std::string_view text = sidestream::text_of({bytes, size});
  if (const auto offer = parse_sidecar_offer(text))
    if (parse_sidecar_offer(serialize(*offer)) != offer) std::abort();
  if (const auto handover = parse_sidecar_handover(text))
    if (parse_sidecar_handover(serialize(*handover)) != handover) std::abort();
  return 0;
}
