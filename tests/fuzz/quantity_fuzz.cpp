// Durations and times have a text that parses to the same; numbers stay in their range.
#include "streams/quantity.h"

#include <cstdlib>
#include <string>

#include "streams/bytes.h"
#include "streams/rfc3339.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto duration = sidestream::parse_duration(text);
  const std::string again = duration ? sidestream::duration_text(*duration) : "";
  if (duration && sidestream::parse_duration(again) != duration) std::abort();
  const auto number = sidestream::parse_whole_number(text);
  if (number && std::to_string(*number) != text) std::abort();
  const auto length = sidestream::parse_size(text);
  if (number && length != static_cast<std::uint64_t>(*number)) std::abort();
  const auto time = sidestream::parse_rfc3339(text);
  if (time && sidestream::minute_text(*time).size() != 20) std::abort();
  return 0;
}
