#include "control/tailnet_status.h"

namespace sidestream::control {
namespace {

constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t list_max = 1000;

std::vector<std::string> read_texts(JsonFields& fields, std::string_view name) {
  std::vector<std::string> texts;
  const JsonArray* all = fields.optional_array(name, list_max);
  if (all == nullptr) return texts;
  for (std::size_t i = 0; i < all->size(); ++i)
    texts.push_back(fields.element_text(name, *all, i, text_bytes_max));
  return texts;
}

constexpr std::uint64_t microseconds_max = 3'600'000'000;

Json json_of(const TailnetPathStatus& path) {
  Json round_trip;
  if (path.round_trip)
    round_trip =
        std::int64_t{std::chrono::floor<std::chrono::microseconds>(*path.round_trip).count()};
  return JsonObject{{"peer", path.peer},
                    {"endpoint", path.endpoint},
                    {"relay", path.relay},
                    {"problem", path.problem},
                    {"round_trip_us", std::move(round_trip)}};
}

TailnetPathStatus read_path(JsonFields fields) {
  TailnetPathStatus path;
  path.peer = fields.text("peer", text_bytes_max);
  path.endpoint = fields.optional_text("endpoint", text_bytes_max).value_or("");
  path.relay = fields.optional_text("relay", text_bytes_max).value_or("");
  path.problem = fields.optional_text("problem", text_bytes_max).value_or("");
  if (const auto count = fields.optional_number("round_trip_us", 0, microseconds_max))
    path.round_trip = std::chrono::microseconds(static_cast<std::int64_t>(*count));
  return path;
}

Json json_of(const std::vector<TailnetPathStatus>& paths) {
  JsonArray array;
  for (const TailnetPathStatus& one : paths) array.push_back(json_of(one));
  return array;
}

Json json_of(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& one : texts) array.emplace_back(one);
  return array;
}

}  // namespace

Json json_of(const std::optional<TailnetStatus>& tailnet) {
  if (!tailnet) return {};
  return JsonObject{{"socket", tailnet->socket},
                    {"state", tailnet->state},
                    {"problem", tailnet->problem},
                    {"version", tailnet->version},
                    {"name", tailnet->name},
                    {"addresses", json_of(tailnet->addresses)},
                    {"userspace", tailnet->userspace},
                    {"key_expiry", tailnet->key_expiry},
                    {"warnings", json_of(tailnet->warnings)},
                    {"paths", json_of(tailnet->paths)}};
}

TailnetStatus read_tailnet_status(JsonFields fields) {
  const auto text = [&](std::string_view name) {
    return fields.optional_text(name, text_bytes_max).value_or("");
  };
  TailnetStatus tailnet;
  tailnet.socket = text("socket");
  tailnet.state = text("state");
  tailnet.problem = text("problem");
  tailnet.version = text("version");
  tailnet.name = text("name");
  tailnet.addresses = read_texts(fields, "addresses");
  tailnet.userspace = fields.boolean("userspace");
  tailnet.key_expiry = text("key_expiry");
  tailnet.warnings = read_texts(fields, "warnings");
  if (const JsonArray* paths = fields.optional_array("paths", list_max))
    for (std::size_t i = 0; i < paths->size(); ++i)
      tailnet.paths.push_back(read_path(fields.element("paths", *paths, i)));
  return tailnet;
}

}  // namespace sidestream::control
