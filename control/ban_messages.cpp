#include "control/ban_messages.h"

#include <limits>
#include <utility>

#include "streams/message_text.h"

namespace sidestream::control {
namespace {

constexpr BanLimits limits;
constexpr std::size_t network_bytes_max = 64;
constexpr unsigned v6_person_bits = 64;
constexpr std::uint64_t number_max = std::numeric_limits<std::int64_t>::max();

template <typename Message>
BanParsed<Message> parse_body(std::string_view body, Message (*read)(JsonFields&)) {
  JsonLimits json_limits;
  json_limits.bytes_max = 1U << 20U;
  json_limits.values_max = limits.bans_max * 4 + 64;
  return read_json<Message>(body, json_limits, read);
}

IpPrefix read_network(JsonFields& fields) {
  const auto network = parse_banned_network(fields.text("network", network_bytes_max));
  if (!network) fields.refuse("network", network.error());
  return network.value_or(IpPrefix());
}

std::chrono::seconds read_seconds(JsonFields& fields) {
  const auto most = static_cast<std::uint64_t>(limits.time_max.count());
  return std::chrono::seconds(static_cast<std::int64_t>(fields.number("seconds", 1, most)));
}

BanRequest read_ban_request(JsonFields& fields) {
  return {.network = read_network(fields), .time = read_seconds(fields)};
}
BanAnswer read_ban_answer(JsonFields& fields) {
  return {.streams = fields.number("streams", 0, number_max)};
}
UnbanRequest read_unban_request(JsonFields& fields) {
  return {.network = read_network(fields)};
}
UnbanAnswer read_unban_answer(JsonFields& fields) {
  return {.was_banned = fields.boolean("was_banned")};
}
KeptBans read_kept_bans(JsonFields& fields) {
  constexpr std::uint64_t last_second = 253'402'300'799;  // of the year 9999
  const auto written = static_cast<std::int64_t>(fields.number("written", 0, last_second));
  return {.written = WallTime(std::chrono::seconds(written)),
          .networks = read_banned_networks(fields, "bans", limits.bans_max)};
}

// Made apart: inside of a list GCC 12 takes it for uninitialised.
Json number_json(std::int64_t number) {
  return Json(number);
}

}  // namespace

std::expected<IpPrefix, std::string> parse_banned_network(std::string_view text) {
  const auto fail = [text](const std::string& why) {
    return std::unexpected(in_quotes(text) + ": " + why);
  };
  auto network = IpPrefix::parse(text);
  if (!network)
    return fail("expected an address, or a network such as 198.51.100.0/24 or 2001:db8::/48");
  network = unmapped(*network);
  if (!text.contains('/') && network->address().is_v6())
    network = IpPrefix(network->address(), v6_person_bits);
  const bool is_v4 = network->address().is_v4();
  const unsigned least = is_v4 ? limits.v4_bits_min : limits.v6_bits_min;
  if (network->length() < least)
    return fail("that is too many to be banned; a network has at least /" + std::to_string(least) +
                ", and `deny` of a service takes any");
  return *network;
}

std::vector<BannedNetwork> banned_networks(const BanList& list, Instant now) {
  std::vector<BannedNetwork> networks;
  networks.reserve(list.size());
  for (const Ban& ban : list.bans())
    if (now < ban.until)
      networks.push_back({ban.network, std::chrono::ceil<std::chrono::seconds>(ban.until - now)});
  return networks;
}

std::vector<BannedNetwork> read_banned_networks(JsonFields& fields, std::string_view name,
                                                std::size_t bans_max) {
  const JsonArray& array = fields.array(name, bans_max);
  std::vector<BannedNetwork> networks;
  networks.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields element = fields.element(name, array, i);
    const IpPrefix network = read_network(element);
    networks.push_back({network, read_seconds(element)});
  }
  return networks;
}

JsonArray banned_networks_json(const std::vector<BannedNetwork>& networks) {
  JsonArray array;
  array.reserve(networks.size());
  for (const BannedNetwork& one : networks)
    array.emplace_back(
        JsonObject{{"network", one.network.text()}, {"seconds", number_json(one.left.count())}});
  return array;
}

BanParsed<BanRequest> parse_ban_request(std::string_view body) {
  return parse_body(body, &read_ban_request);
}
BanParsed<BanAnswer> parse_ban_answer(std::string_view body) {
  return parse_body(body, &read_ban_answer);
}
BanParsed<UnbanRequest> parse_unban_request(std::string_view body) {
  return parse_body(body, &read_unban_request);
}
BanParsed<UnbanAnswer> parse_unban_answer(std::string_view body) {
  return parse_body(body, &read_unban_answer);
}
BanParsed<KeptBans> parse_kept_bans(std::string_view body) {
  return parse_body(body, &read_kept_bans);
}

std::string serialize(const BanRequest& message) {
  return serialize_json(JsonObject{{"network", message.network.text()},
                                   {"seconds", number_json(message.time.count())}});
}
std::string serialize(const BanAnswer& message) {
  return serialize_json(JsonObject{{"streams", message.streams}});
}
std::string serialize(const UnbanRequest& message) {
  return serialize_json(JsonObject{{"network", message.network.text()}});
}
std::string serialize(const UnbanAnswer& message) {
  return serialize_json(JsonObject{{"was_banned", message.was_banned}});
}
std::string serialize(const KeptBans& message) {
  const auto written =
      std::chrono::floor<std::chrono::seconds>(message.written.time_since_epoch()).count();
  return serialize_json(JsonObject{{"written", number_json(written)},
                                   {"bans", banned_networks_json(message.networks)}});
}

}  // namespace sidestream::control
