// No answer to a ClientHello, whatever it is, breaks the probe; without our keys none is TLS.
#include "streams/tls_probe.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  sidestream::TlsProbe probe("fuzz.example");
  if (probe.poll_transmit().empty()) std::abort();
  const auto verdict = probe.feed({bytes, size});
  if (verdict == sidestream::TlsProbe::Verdict::speaks_tls) std::abort();
  if (verdict == sidestream::TlsProbe::Verdict::failed && probe.reason().empty()) std::abort();
  return 0;
}
