// Banned networks as text and JSON: what `sidestream ban` asks a sidecar's admin socket, what a
// sidecar keeps of it over a restart, and what it tells its edges.
//
// A network is `198.51.100.7/32` or `2001:db8::/64`, with how many seconds the ban still has;
// clocks of two machines need not agree.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/ban_list.h"
#include "control/json_fields.h"
#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream::control {

inline constexpr std::string_view ban_target = "/v1/ban";      // POST: a sidecar only
inline constexpr std::string_view unban_target = "/v1/unban";  // POST: a sidecar only

struct BanLimits {
  std::chrono::seconds time_default = std::chrono::minutes(10);
  std::chrono::seconds time_max = std::chrono::days(365);
  // Of one sidecar, from people and their programs; and of those how many an edge is told.
  std::size_t bans_max = 4096;
  std::size_t bans_told_max = 1024;
  // What covers more is nobody's address.
  unsigned v4_bits_min = 8;
  unsigned v6_bits_min = 16;
};

// `198.51.100.7`, `198.51.100.0/24`, `2001:db8::/48`. An IPv6 address alone stands for its /64,
// because that is what one person controls. The error begins with the text in quotes.
[[nodiscard]] std::expected<IpPrefix, std::string> parse_banned_network(std::string_view text);

struct BannedNetwork {
  IpPrefix network;
  std::chrono::seconds left{0};
  bool operator==(const BannedNetwork&) const = default;
};
// Those whose time is not over, which goes up to whole seconds.
[[nodiscard]] std::vector<BannedNetwork> banned_networks(const BanList& list, Instant now);

// As a member of a document: {"network": …, "seconds": …} in a list.
[[nodiscard]] std::vector<BannedNetwork> read_banned_networks(JsonFields& fields,
                                                              std::string_view name,
                                                              std::size_t bans_max);
[[nodiscard]] JsonArray banned_networks_json(const std::vector<BannedNetwork>& networks);

struct BanRequest {
  IpPrefix network;
  std::chrono::seconds time{0};
  bool operator==(const BanRequest&) const = default;
};
struct BanAnswer {
  std::uint64_t streams = 0;  // that were ended
  bool operator==(const BanAnswer&) const = default;
};
struct UnbanRequest {
  IpPrefix network;
  bool operator==(const UnbanRequest&) const = default;
};
struct UnbanAnswer {
  bool was_banned = false;
  bool operator==(const UnbanAnswer&) const = default;
};
// A file in the state folder.
struct KeptBans {
  WallTime written;
  std::vector<BannedNetwork> networks;
  bool operator==(const KeptBans&) const = default;
};

// The error is one sentence that names the member.
template <typename Message>
using BanParsed = std::expected<Message, std::string>;

[[nodiscard]] BanParsed<BanRequest> parse_ban_request(std::string_view body);
[[nodiscard]] BanParsed<BanAnswer> parse_ban_answer(std::string_view body);
[[nodiscard]] BanParsed<UnbanRequest> parse_unban_request(std::string_view body);
[[nodiscard]] BanParsed<UnbanAnswer> parse_unban_answer(std::string_view body);
[[nodiscard]] BanParsed<KeptBans> parse_kept_bans(std::string_view body);

[[nodiscard]] std::string serialize(const BanRequest& message);
[[nodiscard]] std::string serialize(const BanAnswer& message);
[[nodiscard]] std::string serialize(const UnbanRequest& message);
[[nodiscard]] std::string serialize(const UnbanAnswer& message);
[[nodiscard]] std::string serialize(const KeptBans& message);

}  // namespace sidestream::control
