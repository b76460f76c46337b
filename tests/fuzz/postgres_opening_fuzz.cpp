// Whatever is not behind a request comes out as it went in, in order and whole.
#include <algorithm>
#include <cstdlib>

#include "streams/postgres_opening.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using Verdict = sidestream::PostgresOpening::Verdict;
  sidestream::PostgresOpening opening;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const Verdict verdict = opening.feed({bytes + i, 1});
    if (verdict == Verdict::gss_request) answered = i + 1;
    const auto fed = sidestream::Bytes(bytes, i + 1).subspan(answered);
    if (verdict == Verdict::premature || answered > 8) std::abort();
    if (verdict == Verdict::other && !std::ranges::equal(opening.bytes(), fed)) std::abort();
    if (verdict == Verdict::other || verdict == Verdict::ssl_request) break;
  }
  return 0;
}
