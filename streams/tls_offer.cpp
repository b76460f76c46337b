#include "streams/tls_offer.h"

#include <openssl/ssl.h>

#include "streams/bytes.h"

namespace sidestream {
namespace {

Bytes offered_extension(SSL* ssl, unsigned type) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1) return {};
  return {bytes, size};
}

// RFC 6066 section 3: a list, of which host_name is the only kind that exists.
std::optional<ServerName> name_in(Bytes extension) {
  ByteReader reader(extension);
  ByteReader list(reader.take(reader.u16()));
  constexpr std::uint8_t host_name = 0;
  if (list.u8() != host_name) return std::nullopt;
  const Bytes name = list.take(list.u16());
  if (reader.failed() || list.failed()) return std::nullopt;
  auto parsed = ServerName::parse(text_of(name));
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace

std::optional<ServerName> offered_name(ssl_st* ssl) {
  const char* known = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (known == nullptr) return name_in(offered_extension(ssl, TLSEXT_TYPE_server_name));
  auto parsed = ServerName::parse(known);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

bool offers_only(ssl_st* ssl, std::string_view protocol) {
  ByteReader reader(offered_extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation));
  ByteReader list(reader.take(reader.u16()));
  const Bytes first = list.take(list.u8());
  return !reader.failed() && !list.failed() && list.rest().empty() && text_of(first) == protocol;
}

}  // namespace sidestream
