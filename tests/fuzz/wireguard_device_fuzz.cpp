// Two devices and the network between them do what the input says (tests/support).
#include "tests/support/wireguard_script.h"
#include "tunnel/wireguard_device.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  sidestream::tunnel::WireGuardScript().run({bytes, size});
  return 0;
}
