#include "sidecar/tls_reader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "streams/message_text.h"
#include "streams/tls_certificate.h"
#include "streams/tls_server.h"

namespace sidestream::sidecar {
namespace {

constexpr std::array<std::pair<std::string_view, CertificateSource::Kind>, 2> certificate_words{
    {{"acme", CertificateSource::Kind::acme},
     {"self-signed", CertificateSource::Kind::self_signed}}};
constexpr std::array<ConfigurationValue::LaterWord, 1> later_certificate_words{
    {{"tailscale",
      "this version asks no tailnet for certificates; write {chain: FILE, key: FILE} with what "
      "`tailscale cert` writes, or self-signed"}}};
// RFC 7301 section 3.1.
constexpr std::size_t protocol_bytes_max = 255;

CertificateSource read_files(const ConfigurationValue& value) {
  CertificateSource source{.kind = CertificateSource::Kind::files, .chain = {}, .key = {}};
  ConfigurationSection section(value);
  std::optional<ConfigurationFile> chain;
  std::optional<ConfigurationFile> key;
  if (const auto path = section.require("chain", "chain: FILE")) chain = path->file();
  if (const auto path = section.require("key", "key: FILE")) key = path->secret_file();
  section.finish();
  if (!chain || !key) return source;
  const auto pair = TlsCertificate::parse(chain->content.reveal(), key->content.reveal());
  if (!pair) value.fail(pair.error());
  source.chain = std::move(chain->path);
  source.key = std::move(key->path);
  return source;
}

CertificateSource read_certificate(const ConfigurationValue& value) {
  if (value.is_section()) return read_files(value);
  CertificateSource source{.kind = CertificateSource::Kind::self_signed, .chain = {}, .key = {}};
  if (const auto kind = value.choice(certificate_words, later_certificate_words))
    source.kind = *kind;
  return source;
}

// An authority gives certificates for names that it can look at.
std::string obstacle_to_acme(const std::vector<control::Endpoint>& publish, bool has_wildcards) {
  bool has_name = false;
  for (const control::Endpoint& endpoint : publish) {
    if (!endpoint.name) continue;
    has_name = true;
    if (endpoint.name->is_wildcard() && !has_wildcards)
      return "no authority can look at " + in_quotes(endpoint.name->text()) +
             " as a whole; publish each name, write acme.dns_hook, or self-signed or {chain: FILE, "
             "key: FILE}";
  }
  if (has_name || publish.empty()) return {};
  return "an authority gives certificates for names, and only ports are published; publish a name "
         "too, or write certificate: self-signed";
}

std::vector<std::string> read_alpn(const ConfigurationValue& value) {
  std::vector<std::string> protocols;
  for (const ConfigurationValue& item : value.list(TlsSettings::alpn_max)) {
    auto protocol = item.text();
    if (!protocol) continue;
    if (protocol->size() > protocol_bytes_max)
      item.fail("is longer than 255 bytes, which no protocol's name is");
    else if (*protocol == acme_tls_alpn)
      item.fail(
          "is for those who validate names, and answered without being written here; "
          "remove it");
    else if (std::ranges::find(protocols, *protocol) != protocols.end())
      item.fail(in_quotes(*protocol) + " is in the list twice; remove one of the two");
    else
      protocols.push_back(std::move(*protocol));
  }
  return protocols;
}

std::string read_server_name(const ConfigurationValue& value) {
  auto name = value.text();
  if (!name) return {};
  if (!ServerName::parse(*name) && !IpAddress::parse(*name))
    value.fail_expected("a name or an address, as the backend's certificate has it");
  return std::move(*name);
}

}  // namespace

std::string read_authorities(const ConfigurationValue& value) {
  auto file = value.file();
  if (!file) return {};
  if (const auto count = count_authorities(file->content.reveal()); !count)
    value.fail(count.error());
  return std::move(file->path);
}

TlsSettings read_tls_settings(ConfigurationSection& service, bool ends_here,
                              const std::vector<control::Endpoint>& publish,
                              bool acme_has_wildcards) {
  TlsSettings settings;
  if (!ends_here) {
    for (const std::string_view key : {"certificate", "alpn", "client_ca"})
      service.refuse(key, "counts only where TLS ends here; add `tls: terminate`, or remove it");
    return settings;
  }
  const auto certificate = service.find("certificate");
  if (certificate) settings.certificate = read_certificate(*certificate);
  const std::string obstacle = settings.certificate.kind == CertificateSource::Kind::acme
                                   ? obstacle_to_acme(publish, acme_has_wildcards)
                                   : "";
  if (!obstacle.empty()) (certificate ? *certificate : service.value()).fail(obstacle);
  if (const auto alpn = service.find("alpn")) settings.alpn = read_alpn(*alpn);
  if (const auto authorities = service.find("client_ca"))
    settings.client_ca = read_authorities(*authorities);
  return settings;
}

BackendTlsSettings read_backend_tls_settings(ConfigurationSection& section,
                                             const ServiceConfiguration& service) {
  BackendTlsSettings settings;
  const auto in_tls = std::ranges::count_if(
      service.backends, [](const Backend& backend) { return backend.address.tls; });
  if (in_tls == 0) {
    for (const std::string_view key : {"server_name", "ca"})
      section.refuse(key, "counts only for a backend that is written tls://HOST:PORT; remove it");
    return settings;
  }
  if (std::cmp_not_equal(in_tls, service.backends.size()))
    section.value().fail(
        "some backends are spoken to in TLS and some are not; write tls:// before "
        "all of them, or make two services");
  for (const control::Endpoint& endpoint : service.publish)
    if (service.tls_of(endpoint) == TlsMode::passthrough) {
      section.value().fail(
          "the clients' own TLS goes through to the backend, so there would be TLS "
          "inside of TLS; write HOST:PORT without tls://, or add `tls: terminate`");
      break;
    }
  if (const auto name = section.find("server_name")) settings.server_name = read_server_name(*name);
  if (const auto authorities = section.find("ca")) settings.ca = read_authorities(*authorities);
  return settings;
}

}  // namespace sidestream::sidecar
