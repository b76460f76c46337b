// Base 64 is strict: what decodes encodes to the same text, here and in WireGuard's keys.
#include "streams/base64.h"

#include <cstdlib>

#include "tunnel/wireguard_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto standard = sidestream::parse_base64(text);
  if (standard && sidestream::serialize_base64(*standard) != text) std::abort();
  const auto url_safe = sidestream::parse_base64url(text);
  if (url_safe && sidestream::serialize_base64url(*url_safe) != text) std::abort();
  const auto key = sidestream::tunnel::PublicKey::parse(text);
  if (key && key->text() != text) std::abort();
  return 0;
}
