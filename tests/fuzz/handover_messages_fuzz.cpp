// What parses is written so that it is read as the same again.
#include "control/handover_messages.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::control;
  const std::string_view text = sidestream::text_of({bytes, size});
  if (const auto hello = parse_handover_hello(text))
    if (parse_handover_hello(serialize(*hello)) != hello) std::abort();
  if (const auto offer = parse_handover_offer(text))
    if (parse_handover_offer(serialize(*offer)) != offer) std::abort();
  return 0;
}
