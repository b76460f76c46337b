// A file that is read as ours is ours to the byte.
#include "edge/routers/nginx_file.h"

#include <cstdlib>

#include "streams/bytes.h"

using namespace sidestream::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto file = NginxFile::parse(text);
  if (file && file->text() != text) std::abort();
  return 0;
}
