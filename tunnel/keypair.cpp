#include "tunnel/keypair.h"

#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {

Keypair::Keypair(Names names, const SessionKeys& keys, Instant created, bool initiator,
                 std::uint64_t first_counter)
    : names_(std::move(names)),
      sealer_(keys.send, PacketCipher::Direction::seal),
      opener_(keys.receive, PacketCipher::Direction::open),
      created_(created),
      initiator_(initiator),
      counter_(first_counter) {}

void Keypair::seal(MutableBytes datagram) {
  const std::uint64_t counter = counter_++;
  TransportHeader{names_.remote, counter}.serialize(datagram.first<transport_header_bytes>());
  sealer_.seal(counter, datagram.subspan(transport_header_bytes));
}

std::optional<MutableBytes> Keypair::open(std::uint64_t counter, MutableBytes datagram) {
  if (counter >= reject_after_messages) return std::nullopt;
  const MutableBytes sealed = datagram.subspan(transport_header_bytes);
  if (!opener_.open(counter, sealed) || !window_.accept(counter)) return std::nullopt;
  return sealed.first(sealed.size() - aead_tag_bytes);
}

}  // namespace sidestream::tunnel
