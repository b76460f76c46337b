// Endpoints and patterns have a text that parses to the same; an endpoint is covered by itself
// read as a pattern; every error is one line.
#include "control/endpoint.h"

#include <cstdlib>

#include "control/endpoint_notation.h"
#include "control/endpoint_pattern.h"
#include "streams/bytes.h"

template <typename Value>
auto round_trip(std::string_view text) {
  const auto value = Value::parse(text);
  if (value && Value::parse(value->text()) != value) std::abort();
  if (!value && value.error().find('\n') != std::string::npos) std::abort();
  return value;
}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  const auto endpoint = round_trip<sidestream::control::Endpoint>(text);
  const auto pattern = round_trip<sidestream::control::EndpointPattern>(text);
  if (endpoint && (!pattern || !pattern->covers(*endpoint))) std::abort();
  return 0;
}
