// Whatever stands in a file of authorities, the answer is a number or a sentence.
#include "streams/tls_authorities.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto authorities = sidestream::TlsAuthorities::parse(text);
  if (authorities && authorities->count() == 0) std::abort();
  if (!authorities && authorities.error().empty()) std::abort();
  return 0;
}
