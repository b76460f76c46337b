// Lines of requests: the digit of a sidecar, `s` for a session or `t` for a state, a body. Whatever
// is said, sidecar 1 never holds a name that belongs to sidecar 0.
#include "edge/lease_table.h"

#include <cstdlib>
#include <sstream>

#include "edge/control_service.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream;
  edge::LeaseTable table(0xe, "0");
  edge::ControlService service(table);
  const auto owned = *control::EndpointPattern::parse("a.x");
  const auto shared = *control::EndpointPattern::parse("*.x");
  table.set_sidecars({{"0", {}, {owned, shared}}, {"1", {}, {shared}}});
  table.set_public_ports({{443, 443}});
  std::istringstream lines{std::string(text_of({bytes, size}))};
  for (std::string line; std::getline(lines, line);) {
    control::HttpRequest request{"PUT", "/v1/state", {}, line.size() > 2 ? line.substr(2) : ""};
    if (line.substr(0, 2).ends_with('s')) request.method = "POST", request.target = "/v1/session";
    static_cast<void>(service.respond({}, line.starts_with('1') ? "1" : "0", request));
    for (const auto& [endpoint, targets] : table.routes())
      for (const auto& target : targets)
        if (endpoint.text() == "a.x" && target.sidecar == "1") std::abort();
  }
  return 0;
}
