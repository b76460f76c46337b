// A response means the same whole and byte by byte, and holds no more than its limit.
#include "control/http_download.h"

#include <cstdlib>

using namespace sidestream;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const control::HttpLimits limits{.header_bytes_max = 500, .fields_max = 5, .body_bytes_max = 100};
  control::HttpDownload whole(limits), slow(limits);
  const auto progress = whole.feed({bytes, size});
  std::string body;
  for (std::size_t i = 0; i < size; ++i) {
    (void)slow.feed({bytes + i, 1});
    body += slow.take();
  }
  const std::string at_once = whole.take();
  if (at_once.size() > limits.body_bytes_max) std::abort();
  if (progress != control::HttpProgress::failed && at_once != body) std::abort();
  return 0;
}
