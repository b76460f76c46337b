// A packet, and everything in it that the stack would read: TCP, ICMP and the packet that an ICMP
// error quotes.
#include "tunnel/ip_packet.h"

#include "tunnel/icmp.h"
#include "tunnel/tcp_segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::tunnel;
  const sidestream::Bytes input(bytes, size);
  (void)parse_quoted_ip_packet(input);
  (void)parse_quoted_tcp_segment(input);
  if (const auto packet = parse_ip_packet(input)) (void)parse_icmp(*packet);
  return 0;
}
