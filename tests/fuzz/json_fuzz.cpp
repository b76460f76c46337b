// What parses has a text form that parses to the same.
#include "control/json.h"

#include <cstdlib>

#include "streams/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::control;
  const auto value = parse_json(sidestream::text_of({bytes, size}));
  if (!value) return 0;
  JsonLimits limits;
  limits.bytes_max *= 8;
  const auto again = parse_json(serialize_json(*value), limits);
  if (!again || *again != *value) std::abort();
  return 0;
}
