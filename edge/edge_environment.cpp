#include "edge/edge_environment.h"

#include <array>

namespace sidestream::edge {
namespace {

using control::EnvironmentKey;
using Form = EnvironmentKey::Form;

constexpr std::array keys{
    EnvironmentKey{"SIDESTREAM_ENDPOINT", "endpoint", Form::list},
    EnvironmentKey{"SIDESTREAM_TUNNEL_LISTEN", "tunnel.listen"},
    EnvironmentKey{"SIDESTREAM_TUNNEL_NETWORK", "tunnel.network"},
    EnvironmentKey{"SIDESTREAM_PUBLIC_ADDRESS", "public.address"},
    EnvironmentKey{"SIDESTREAM_PUBLIC_PORTS", "public.ports", Form::list},
    EnvironmentKey{"SIDESTREAM_ROUTER", "router"},
    EnvironmentKey{"SIDESTREAM_HONOUR_BANS", "honour_bans"},
    EnvironmentKey{"SIDESTREAM_LIMITS_PER_CLIENT", "limits.per_client"},
    EnvironmentKey{"SIDESTREAM_LIMITS_HELLO_TIMEOUT", "limits.hello_timeout"},
};

}  // namespace

std::vector<EnvironmentKey> edge_environment() {
  const auto program = control::program_environment();
  std::vector<EnvironmentKey> all(keys.begin(), keys.end());
  all.insert(all.end(), program.begin(), program.end());
  return all;
}

}  // namespace sidestream::edge
