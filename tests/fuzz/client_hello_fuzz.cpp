// However a stream is cut, the parser comes to the same verdict and the same name.
#include <cstdlib>

#include "streams/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  sidestream::ClientHelloParser whole;
  whole.feed({bytes, size});
  sidestream::ClientHelloParser bytewise;
  for (std::size_t i = 0; i < size; ++i) bytewise.feed({bytes + i, 1});
  const bool same = whole.verdict() == bytewise.verdict() && whole.why() == bytewise.why() &&
                    whole.hello().server_name == bytewise.hello().server_name &&
                    whole.hello().alpn == bytewise.hello().alpn;
  if (!same) std::abort();
  return 0;
}
