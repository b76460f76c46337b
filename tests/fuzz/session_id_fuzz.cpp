// A session has exactly one text.
#include "edge/session_order.h"

#include <cstdlib>

#include "streams/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto id = sidestream::edge::SessionId::parse(text);
  if (id && id->text() != text) std::abort();
  return 0;
}
