// What two processes of one program say to each other when the newer one takes over, as values and
// as JSON (docs/protocols/handover.md). Both run as the same user on the same host, but may be of
// different versions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/json.h"
#include "tunnel/predecessor_facts.h"
#include "tunnel/tcp_ends.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::control {

// Raised when a process of this version could not take over from one of the last.
inline constexpr unsigned handover_protocol = 1;

struct HandoverLimits {
  std::size_t document_bytes_max = 256UL << 20U;
  std::size_t values_max = 20'000'000;
  std::size_t name_bytes_max = 256;
  std::size_t sentence_bytes_max = 4096;
  std::size_t descriptors_max = 100'000;
  std::size_t connections_bytes_max = 128UL << 20U;  // base 64
  std::size_t predecessors_max = 1000;
};

// The first message of the one that wants to take over.
struct HandoverHello {
  unsigned protocol = handover_protocol;
  std::string program;  // `edge` or `sidecar`
  std::string version;
  bool operator==(const HandoverHello&) const = default;
};

// What the running process would hand over. `descriptors` name the file descriptors that came with
// it, in their order; `document` is the program's own and tells whether it fits.
struct HandoverOffer {
  std::string version;
  std::vector<std::string> descriptors;
  std::string document;
  bool operator==(const HandoverOffer&) const = default;
};

template <typename Message>
using HandoverParsed = std::expected<Message, std::string>;

[[nodiscard]] std::string serialize(const HandoverHello& message);
[[nodiscard]] std::string serialize(const HandoverOffer& message);
[[nodiscard]] HandoverParsed<HandoverHello> parse_handover_hello(std::string_view text);
[[nodiscard]] HandoverParsed<HandoverOffer> parse_handover_offer(std::string_view text);

// ---- part of each program's own document -------------------------------------------------------

// A tunnel whose device goes over.
struct TunnelHandover {
  struct Predecessor {
    tunnel::PredecessorFacts facts;
    std::vector<tunnel::TcpEnds> connections;
    bool operator==(const Predecessor&) const = default;
  };
  tunnel::Timestamp last_timestamp;
  std::vector<tunnel::TcpEnds> connections;  // that stay with the process which hands over
  std::vector<Predecessor> predecessors;     // that it has itself
  bool operator==(const TunnelHandover&) const = default;
};

[[nodiscard]] Json to_json(const TunnelHandover& tunnel);
class JsonFields;
[[nodiscard]] TunnelHandover read_tunnel_handover(JsonFields fields);
// For documents of programs: as much as a hand-over may carry.
[[nodiscard]] JsonLimits handover_json_limits();

}  // namespace sidestream::control
