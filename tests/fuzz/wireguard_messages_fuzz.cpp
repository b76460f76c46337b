// What parses as a message serializes to the same bytes, up to its macs or its sealed packet.
#include "tunnel/wireguard_messages.h"

#include <algorithm>
#include <cstdlib>

template <typename Message, std::size_t Size>
void round_trip(sidestream::Bytes datagram, std::size_t compared) {
  std::array<std::uint8_t, Size> again{};
  const auto message = Message::parse(datagram);
  if (message) message->serialize(again);
  if (message && !std::equal(again.begin(), again.begin() + compared, datagram.begin()))
    std::abort();
}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream::tunnel;
  round_trip<Initiation, initiation_bytes>({bytes, size}, initiation_bytes - macs_bytes);
  round_trip<Response, response_bytes>({bytes, size}, response_bytes - macs_bytes);
  round_trip<CookieReply, cookie_reply_bytes>({bytes, size}, cookie_reply_bytes);
  return round_trip<TransportHeader, transport_header_bytes>({bytes, size}, 16), 0;
}
