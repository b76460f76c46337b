// A rule has a text that parses to the same; a complaint is one line.
#include "sidecar/client_rules.h"

#include <cstdlib>

#include "streams/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using sidestream::sidecar::ClientRule;
  const auto rule = ClientRule::parse(sidestream::text_of({bytes, size}));
  if (rule && ClientRule::parse(rule->text()) != rule) std::abort();
  if (rule && !rule->covers(*rule)) std::abort();
  if (!rule && rule.error().find('\n') != std::string::npos) std::abort();
  return 0;
}
