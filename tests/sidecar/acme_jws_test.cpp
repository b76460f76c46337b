#include "sidecar/acme_jws.h"

#include <gtest/gtest.h>

#include "control/json.h"
#include "streams/base64.h"

namespace sidestream::sidecar {
namespace {

std::string member(const std::string& json, std::string_view name) {
  return *control::parse_json(json)->object()->find(name)->text();
}
std::string decoded(const std::string& json, std::string_view name) {
  return std::string(text_of(Bytes(*parse_base64url(member(json, name)))));
}

TEST(AcmeJws, ShowsTheKeyUntilThereIsAnAccount) {
  const TlsAccountKey key = TlsAccountKey::generate();
  const std::string sealed = seal_envelope(
      key, {.url = "https://ca.test/new", .nonce = "n", .account = "", .payload = "{}"});
  EXPECT_EQ(decoded(sealed, "protected"),
            R"({"alg":"ES256","nonce":"n","url":"https://ca.test/new","jwk":)" + key.jwk() + "}");
  EXPECT_EQ(decoded(sealed, "payload"), "{}");
  EXPECT_EQ(parse_base64url(member(sealed, "signature"))->size(), 64U);
}

TEST(AcmeJws, NamesTheAccountAfterwards) {
  const std::string sealed = seal_envelope(
      TlsAccountKey::generate(),
      {.url = "https://ca.test/x", .nonce = "n", .account = "https://ca.test/1", .payload = ""});
  EXPECT_EQ(decoded(sealed, "protected"),
            R"({"alg":"ES256","nonce":"n","url":"https://ca.test/x","kid":"https://ca.test/1"})");
  EXPECT_EQ(member(sealed, "payload"), "");
}

TEST(AcmeJws, BindsTheAccountToOneThatTheAuthorityKnows) {
  const TlsAccountKey key = TlsAccountKey::generate();
  const AcmeBinding binding{.key_id = "kid-1", .key = SecretText("c2VjcmV0")};
  const std::string sealed = seal_binding(binding, key, "https://ca.test/new");
  EXPECT_EQ(decoded(sealed, "protected"),
            R"({"alg":"HS256","kid":"kid-1","url":"https://ca.test/new"})");
  EXPECT_EQ(decoded(sealed, "payload"), key.jwk());
  const std::string signed_text = member(sealed, "protected") + '.' + member(sealed, "payload");
  EXPECT_EQ(member(sealed, "signature"),
            serialize_base64url(hmac_sha256(bytes_of("secret"), signed_text)));
}

}  // namespace
}  // namespace sidestream::sidecar
