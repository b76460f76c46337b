// What parses as an address, a socket address or a prefix has a text form that parses to the same.
#include <cstdlib>

#include "streams/ip_address.h"

namespace {
template <typename Value>
void round_trip(std::string_view text) {
  const auto value = Value::parse(text);
  if (value && Value::parse(value->text()) != value) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  round_trip<sidestream::IpAddress>(text);
  round_trip<sidestream::SocketAddress>(text);
  round_trip<sidestream::IpPrefix>(text);
  return 0;
}
