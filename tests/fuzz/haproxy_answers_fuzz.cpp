// Whatever HAProxy answers, the commands that follow fit into its buffer, and the map's file is in
// step once it was written.
#include "edge/routers/haproxy_answers.h"

#include <cstdlib>

#include "edge/routers/haproxy_map.h"
#include "streams/bytes.h"

using namespace sidestream::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = sidestream::text_of({bytes, size});
  (void)parse_haproxy_view(text);
  const auto commands = haproxy_map_commands("1", parse_haproxy_map(text), {"443"}, false);
  if (commands.lines.size() > commands.entries) std::abort();
  const std::string file = haproxy_map_file(text, {"443"}, false);
  if (haproxy_map_file(file, {"443"}, false) != file) std::abort();
  return 0;
}
