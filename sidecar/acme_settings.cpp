#include "sidecar/acme_settings.h"

#include <array>
#include <charconv>
#include <utility>

#include "control/configuration_values.h"
#include "sidecar/acme_messages.h"
#include "sidecar/tls_reader.h"
#include "streams/base64.h"
#include "streams/host_port.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view scheme = "https://";
// Whether it is http-01.
constexpr std::array<std::pair<std::string_view, bool>, 2> challenge_words{
    {{"tls-alpn-01", false}, {"http-01", true}}};

std::optional<AcmeBinding> read_binding(const ConfigurationValue& value) {
  ConfigurationSection section(value, "{key_id: ID, key: KEY}");
  AcmeBinding binding;
  if (const auto id = section.require("key_id", "key_id: ID"))
    binding.key_id = id->text().value_or("");
  if (const auto key = section.require("key", "key: KEY")) {
    if (auto secret = key->secret()) binding.key = std::move(*secret);
    const auto bytes = parse_base64url(binding.key.reveal());
    if (!binding.key.empty() && (!bytes || bytes->empty()))
      key->fail("expected the key in base 64 for URLs, as the authority shows it");
  }
  section.finish();
  return binding;
}

std::string read_email(const ConfigurationValue& value) {
  auto email = value.text();
  if (!email) return {};
  const std::size_t at = email->find('@');
  if (at == 0 || at == std::string::npos || at + 1 == email->size() ||
      email->find_first_of(" ,?<>\"") != std::string::npos)
    value.fail_expected("an address such as me@example.com");
  return std::move(*email);
}

std::string read_directory(const ConfigurationValue& value, std::string otherwise) {
  auto url = value.text();
  if (!url) return otherwise;
  if (!parse_acme_url(*url)) value.fail_expected("the URL of a directory, such as " + otherwise);
  return std::move(*url);
}

std::optional<BackendAddress> read_hook(const ConfigurationValue& value) {
  auto hook = control::read_parsed<BackendAddress>(value);
  if (!hook || !hook->tls) return hook;
  value.fail("a hook is not spoken to in TLS; write HOST:PORT or unix:/PATH");
  return std::nullopt;
}

}  // namespace

std::optional<AcmeUrl> parse_acme_url(std::string_view url) {
  if (!url.starts_with(scheme) || url.size() > AcmeLimits::url_bytes_max) return std::nullopt;
  for (const char c : url)
    if (c <= ' ' || c > '~' || c == '\\' || c == '#' || c == '@') return std::nullopt;
  const std::string_view rest = url.substr(scheme.size());
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  AcmeUrl parts;
  parts.authority = rest.substr(0, slash);
  parts.target = rest.substr(slash);
  if (!parts.target.starts_with('/')) parts.target.insert(0, "/");
  const bool has_port =
      parts.authority.rfind(':') != std::string::npos && !parts.authority.ends_with(']');
  const auto where = HostPort::parse(has_port ? parts.authority : parts.authority + ":443");
  if (!where) return std::nullopt;
  parts.host = where->host;
  parts.port = where->port;
  return parts;
}

AcmeSettings read_acme_settings(const ConfigurationValue& value) {
  AcmeSettings settings;
  ConfigurationSection section(value, "{email: me@example.com}");
  if (const auto email = section.find("email")) settings.email = read_email(*email);
  if (const auto directory = section.find("directory"))
    settings.directory = read_directory(*directory, settings.directory);
  if (const auto profile = section.find("profile")) settings.profile = profile->text().value_or("");
  if (const auto binding = section.find("eab")) settings.binding = read_binding(*binding);
  if (const auto challenge = section.find("challenge"))
    settings.by_http = challenge->choice(challenge_words).value_or(false);
  if (const auto hook = section.find("dns_hook")) settings.dns_hook = read_hook(*hook);
  if (settings.dns_hook && settings.by_http)
    value.fail("names are proven by http-01 or in DNS, not both; remove challenge or dns_hook");
  if (const auto authorities = section.find("ca")) settings.ca = read_authorities(*authorities);
  section.finish();
  return settings;
}

}  // namespace sidestream::sidecar
