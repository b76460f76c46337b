#include "sidecar/acme_jws.h"

#include <utility>

#include "control/json.h"
#include "streams/base64.h"

namespace sidestream::sidecar {
namespace {

using control::Json;
using control::JsonObject;

std::string flattened(const std::string& header, const std::string& payload, Bytes signature) {
  return serialize_json(JsonObject{
      {"protected", header}, {"payload", payload}, {"signature", serialize_base64url(signature)}});
}

}  // namespace

std::string seal_envelope(const TlsAccountKey& key, const AcmeEnvelope& envelope) {
  JsonObject fields{{"alg", "ES256"}, {"nonce", envelope.nonce}, {"url", envelope.url}};
  if (envelope.account.empty())
    fields.add("jwk", *control::parse_json(key.jwk()));
  else
    fields.add("kid", envelope.account);
  const std::string header = serialize_base64url(bytes_of(serialize_json(std::move(fields))));
  const std::string payload = serialize_base64url(bytes_of(envelope.payload));
  return flattened(header, payload, key.sign(header + '.' + payload));
}

std::string seal_binding(const AcmeBinding& binding, const TlsAccountKey& account,
                         std::string_view url) {
  const JsonObject fields{{"alg", "HS256"}, {"kid", binding.key_id}, {"url", url}};
  const std::string header = serialize_base64url(bytes_of(serialize_json(fields)));
  const std::string payload = serialize_base64url(bytes_of(account.jwk()));
  const auto key = parse_base64url(binding.key.reveal()).value_or(std::vector<std::uint8_t>{});
  return flattened(header, payload, hmac_sha256(key, header + '.' + payload));
}

}  // namespace sidestream::sidecar
