// Whatever an engine says of a container, and whatever its labels are, becomes services or lines.
#include <cstdlib>

#include "sidecar/container.h"
#include "sidecar/engine_requests.h"
#include "sidecar/label_services.h"
#include "sidecar/label_tree.h"

using namespace sidestream::sidecar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(sidestream::text_of(sidestream::Bytes(bytes, size)));
  (void)parse_container_list(text);
  (void)parse_engine_event(text);
  (void)container_in_mounts(text);
  if (const auto address = EngineAddress::parse(text); address && address->text().empty())
    std::abort();
  const auto container = parse_container(text);
  if (!container) return 0;
  const auto read =
      read_label_services({&*container}, {}, [&](const std::string&) { return &*container; }, {});
  for (const std::string& line : read.problems)
    if (line.contains('\n') || !line.starts_with("container ")) std::abort();
  return read.services.size() <= container->labels.size() ? 0 : (std::abort(), 0);
}
