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

Json json_of(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& one : texts) array.emplace_back(one);
  return array;
}

}  // namespace

Json json_of(const TailnetStatus& tailnet) {
  return JsonObject{{"socket", tailnet.socket},
                    {"state", tailnet.state},
                    {"problem", tailnet.problem},
                    {"version", tailnet.version},
                    {"name", tailnet.name},
                    {"addresses", json_of(tailnet.addresses)},
                    {"userspace", tailnet.userspace},
                    {"key_expiry", tailnet.key_expiry},
                    {"warnings", json_of(tailnet.warnings)}};
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
  return tailnet;
}

}  // namespace sidestream::control
