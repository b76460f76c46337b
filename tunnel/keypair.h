// One session (section 6.3): two keys, a counter for what we send, a window for what we receive,
// and an age. Seals and opens data messages in place.
#pragma once

#include <cstdint>
#include <optional>

#include "streams/bytes.h"
#include "streams/time.h"
#include "tunnel/crypto.h"
#include "tunnel/noise.h"
#include "tunnel/replay_window.h"
#include "tunnel/session_indices.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

class Keypair {
 public:
  struct Names {
    SessionIndex local;        // how the peer names this session
    std::uint32_t remote = 0;  // how we name it to the peer
  };
  // `initiator`: we began the handshake, so renewing it by age is our part.
  Keypair(Names names, const SessionKeys& keys, Instant created, bool initiator,
          std::uint64_t first_counter = 0);

  [[nodiscard]] std::uint32_t local_index() const { return names_.local.value(); }
  [[nodiscard]] bool initiator() const { return initiator_; }
  [[nodiscard]] Duration age(Instant now) const { return now - created_; }

  [[nodiscard]] bool can_send(Instant now) const {
    return can_receive(now) && counter_ < reject_after_messages;
  }
  [[nodiscard]] bool can_receive(Instant now) const { return age(now) < reject_after_time; }
  // Section 6.2: whether sending under this session should begin the next one.
  [[nodiscard]] bool wants_rekey_on_send(Instant now) const {
    return counter_ > rekey_after_messages || (initiator_ && age(now) >= rekey_after_time);
  }
  [[nodiscard]] bool wants_rekey_on_receive(Instant now) const {
    return initiator_ && age(now) >= rekey_on_receive_after_time;
  }

  // `datagram` is header, text and room for the tag; the text is in place already. Only when
  // can_send.
  void seal(MutableBytes datagram);
  // The text within `datagram`, whose header is ours; nullopt when it does not authenticate or was
  // received before.
  std::optional<MutableBytes> open(std::uint64_t counter, MutableBytes datagram);

 private:
  Names names_;
  PacketCipher sealer_;
  PacketCipher opener_;
  Instant created_;
  bool initiator_;
  std::uint64_t counter_;
  ReplayWindow window_;
};

}  // namespace sidestream::tunnel
