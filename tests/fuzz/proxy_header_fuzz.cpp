// However a stream is cut, the parser comes to the same verdict and leaves the same payload.
#include <cstdlib>

#include "streams/proxy_header_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  sidestream::ProxyHeaderParser whole;
  const auto fed = whole.feed({bytes, size});
  sidestream::ProxyHeaderParser bytewise;
  std::size_t consumed = 0;
  for (std::size_t i = 0; i < size; ++i) consumed += bytewise.feed({bytes + i, 1}).consumed;
  const bool same = fed.verdict == bytewise.verdict() && fed.consumed == consumed &&
                    whole.header().source == bytewise.header().source &&
                    whole.header().authority() == bytewise.header().authority();
  if (!same) std::abort();
  return 0;
}
