// Any text is a configuration or has problems that are lines and show no secret.
#include <cstdlib>

#include "edge/edge_configuration.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream;
  const VariableSources sources{
      [](const std::string& name) {
        return name.starts_with("SIDE") ? std::nullopt : std::optional<std::string>("s3cret");
      },
      [](const std::string&) { return std::expected<std::string, std::string>("s3cret\n"); }};
  const ConfigurationText file{"f", std::string(text_of(Bytes(bytes, size)))};
  const auto result = edge::read_edge_configuration(file, sources);
  if (result || file.text.contains("s3cret")) return 0;
  if (result.error().empty()) std::abort();
  for (const std::string& line : result.error().lines())
    if (line.contains("s3cret") || line.contains('\n')) std::abort();
  return 0;
}
