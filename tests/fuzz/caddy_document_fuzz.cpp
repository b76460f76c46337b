// Whatever Caddy answers, what it is said to hold was asked for, and requests can be made of it.
#include "edge/routers/caddy_document.h"

#include <algorithm>
#include <cstdlib>

#include "streams/bytes.h"

using namespace sidestream::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::set wanted{*sidestream::control::Endpoint::parse("a.test"),
                        *sidestream::control::Endpoint::parse(":2222")};
  const auto view = parse_caddy_configuration(sidestream::text_of({bytes, size}));
  if (!view) return 0;
  (void)caddy_requests(*view, wanted, size % 2 == 0, "127.0.0.1:5150");
  if (!std::ranges::includes(wanted, caddy_held(*view, wanted, "127.0.0.1:5150"))) std::abort();
  return 0;
}
