// A probe reaches the same verdict whole and byte by byte, and has a reason when it is bad.
#include "sidecar/health.h"

#include <cstdlib>

using sidestream::sidecar::HealthKind;
using sidestream::sidecar::LineProbe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  for (const HealthKind kind : {HealthKind::ssh, HealthKind::electrum}) {
    LineProbe whole(kind);
    LineProbe pieces(kind);
    const auto verdict = whole.feed({bytes, size});
    auto verdict_of_pieces = LineProbe::Verdict::need_more;
    for (std::size_t at = 0; at < size && verdict_of_pieces == LineProbe::Verdict::need_more; ++at)
      verdict_of_pieces = pieces.feed({bytes + at, 1});
    if (verdict != verdict_of_pieces && size > 0) std::abort();
    if (verdict == LineProbe::Verdict::unhealthy && whole.reason().empty()) std::abort();
  }
  return 0;
}
