// Whatever stands in the files of a chain and a key, the answer is a certificate or a sentence.
#include "streams/tls_certificate.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto certificate = sidestream::TlsCertificate::parse(text, text);
  if (!certificate && certificate.error().empty()) std::abort();
  return 0;
}
