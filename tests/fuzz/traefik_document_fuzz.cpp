// Whatever Traefik's API answers, what it is said to hold was asked for.
#include "edge/routers/traefik_document.h"

#include <algorithm>
#include <cstdlib>

#include "streams/bytes.h"

using namespace sidestream::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const std::set wanted{*sidestream::control::Endpoint::parse("a.test"),
                        *sidestream::control::Endpoint::parse(":2222")};
  const auto entry_points = parse_traefik_entry_points(text);
  const auto held = parse_traefik_held(text, wanted, {{443, "tls"}, {2222, "ssh"}}, "http");
  if (entry_points) (void)traefik_document(wanted, *entry_points, "127.0.0.1:5150");
  if (held && !std::ranges::includes(wanted, *held)) std::abort();
  return 0;
}
