// A message means the same whole and byte by byte, and a request's text form reads back.
#include "control/http_framing.h"
#include "control/http_message.h"

#include <cstdlib>

using namespace sidestream::control;

namespace {
template <typename Parser>
void check(sidestream::Bytes bytes) {
  Parser whole, slow;
  const HttpProgress progress = whole.feed(bytes).progress;
  HttpProgress last = HttpProgress::need_more;
  for (const std::uint8_t& byte : bytes) last = slow.feed({&byte, 1}).progress;
  if (!bytes.empty() && last != progress) std::abort();
  if (progress == HttpProgress::done && !(whole.take() == slow.take())) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  check<HttpRequestParser>({bytes, size});
  check<HttpResponseParser>({bytes, size});
  return 0;
}
