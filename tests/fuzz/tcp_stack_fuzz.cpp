// Any packets, in any order and at any time, against a stack that listens and connects.
#include "tunnel/tcp_stack.h"

#include "tests/support/seeded_random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream;
  SeededRandom random(1);
  tunnel::TcpStack stack({{*IpAddress::parse("10.0.0.1")}, 1420, {}}, random);
  Instant now{1s};
  (void)stack.listen(22);
  (void)stack.connect(now, *SocketAddress::parse("10.0.0.2:80"));
  std::array<std::uint8_t, 1500> buffer{};
  for (ByteReader input({bytes, size}); !input.empty(); now += std::chrono::milliseconds(50)) {
    stack.handle_packet(now, input.take(std::min<std::size_t>(input.u8(), input.size())));
    stack.handle_timeout(now);
    for (int i = 0; i < 8 && stack.poll_transmit(now, buffer) > 0;) ++i;
  }
  return 0;
}
