// WireGuard's four messages (sections 5.4.2, 5.4.3, 5.4.6, 5.4.7) as values. The fields that Noise
// makes stand side by side on the wire and are one field here: noise.h reads and writes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "streams/bytes.h"
#include "tunnel/crypto.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

enum class MessageType : std::uint8_t {
  initiation = 1,
  response = 2,
  cookie_reply = 3,
  transport = 4
};

// The type when type, reserved zero bytes and length fit together. Everything else is to be
// dropped in silence.
std::optional<MessageType> message_type(Bytes datagram);

// mac1 and mac2 are the last 32 bytes of both handshake messages; cookie.h checks and writes them
// in the serialized form.
inline constexpr std::size_t macs_bytes = 2 * std::tuple_size_v<Mac>;

struct Initiation {
  std::uint32_t sender = 0;
  std::array<std::uint8_t, 108> noise{};  // ephemeral 32, static 32 + 16, timestamp 12 + 16

  static std::optional<Initiation> parse(Bytes datagram);
  // Leaves mac1 and mac2 zero.
  void serialize(std::span<std::uint8_t, initiation_bytes> into) const;
};

struct Response {
  std::uint32_t sender = 0;
  std::uint32_t receiver = 0;
  std::array<std::uint8_t, 48> noise{};  // ephemeral 32, empty 0 + 16

  static std::optional<Response> parse(Bytes datagram);
  void serialize(std::span<std::uint8_t, response_bytes> into) const;
};

struct CookieReply {
  std::uint32_t receiver = 0;
  XNonce nonce{};
  std::array<std::uint8_t, 32> cookie{};  // 16 + 16

  static std::optional<CookieReply> parse(Bytes datagram);
  void serialize(std::span<std::uint8_t, cookie_reply_bytes> into) const;
};

// The header of a data message; the sealed packet follows.
struct TransportHeader {
  std::uint32_t receiver = 0;
  std::uint64_t counter = 0;

  static std::optional<TransportHeader> parse(Bytes datagram);
  void serialize(std::span<std::uint8_t, transport_header_bytes> into) const;
};

}  // namespace sidestream::tunnel
