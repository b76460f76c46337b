// What parses as a server name has a text that parses to itself; wildcards match what they are
// made from.
#include "streams/server_name.h"

#include <cstdlib>

#include "streams/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using sidestream::ServerName;
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto name = ServerName::parse_with_wildcard(text);
  if (name && ServerName::parse_with_wildcard(name->text()) != *name) std::abort();
  if (name && name->text().size() > ServerName::bytes_max) std::abort();
  const auto sent = ServerName::parse(text);
  if (sent && (sent->is_wildcard() || sent != name || !sent->matches(*sent))) std::abort();
  if (sent && sent->wildcard() && !sent->wildcard()->matches(*sent)) std::abort();
  return 0;
}
