// Whatever the text, there is a tree within the limits or a problem that stands in the text.
#include <cstdlib>

#include "streams/yaml_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto document = sidestream::parse_yaml(text);
  if (!document.root && document.problems.empty()) std::abort();
  for (const auto& problem : document.problems)
    if (problem.mark.line == 0 || problem.mark.column == 0 || problem.message.empty()) std::abort();
  return 0;
}
