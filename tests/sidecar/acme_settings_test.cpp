#include "sidecar/acme_settings.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_fixture.h"

namespace sidestream::sidecar {
namespace {

std::string read(std::string_view yaml, AcmeSettings* settings = nullptr) {
  return problems_of_reading(yaml, [&](const ConfigurationValue& value) {
    AcmeSettings read = read_acme_settings(value);
    if (settings != nullptr) *settings = std::move(read);
  });
}

TEST(AcmeSettings, AreReadWhole) {
  AcmeSettings settings;
  EXPECT_EQ(read("{email: me@example.com, directory: 'https://ca.test:14000/dir', profile: short, "
                 "eab: {key_id: kid, key: c2VjcmV0}, dns_hook: hook:8080}",
                 &settings),
            "");
  EXPECT_EQ(settings.email, "me@example.com");
  EXPECT_EQ(settings.directory, "https://ca.test:14000/dir");
  EXPECT_EQ(settings.profile, "short");
  EXPECT_EQ(settings.dns_hook, *BackendAddress::parse("hook:8080"));
  EXPECT_EQ(settings.binding, (AcmeBinding{"kid", SecretText("c2VjcmV0")}));
}

TEST(AcmeSettings, HaveDefaults) {
  AcmeSettings settings;
  EXPECT_EQ(read("{email: me@example.com}", &settings), "");
  EXPECT_EQ(settings.directory, "https://acme-v02.api.letsencrypt.org/directory");
}

TEST(AcmeSettings, SayWhatIsWrong) {
  EXPECT_EQ(read("{email: me}"),
            "f:1:9: email: expected an address such as me@example.com, not \"me\"");
  EXPECT_EQ(read("{directory: 'http://ca.test'}"),
            "f:1:13: directory: expected the URL of a directory, such as "
            "https://acme-v02.api.letsencrypt.org/directory, not \"http://ca.test\"");
  EXPECT_EQ(read("{eab: {key_id: kid}}"), "f:1:7: eab: the key \"key\" is missing; add `key: KEY`");
  EXPECT_EQ(read("{eab: {key_id: kid, key: 's3cret!'}}"),
            "f:1:26: eab.key: expected the key in base 64 for URLs, as the authority shows it");
  EXPECT_EQ(read("{other: x}"),
            "f:1:2: other: unknown key; expected email, directory, profile, eab, challenge, "
            "dns_hook or ca");
  EXPECT_EQ(read("{challenge: http-01, dns_hook: 'hook:1'}"),
            "f:1:1: names are proven by http-01 or in DNS, not both; remove challenge or dns_hook");
  EXPECT_EQ(read("{challenge: dns-01}"),
            "f:1:13: challenge: expected tls-alpn-01 or http-01, not \"dns-01\"");
  EXPECT_EQ(read("{dns_hook: 'tls://hook:1'}"),
            "f:1:12: dns_hook: a hook is not spoken to in TLS; write HOST:PORT or unix:/PATH");
}

TEST(AcmeSettings, UrlsAreTakenApart) {
  const auto plain = parse_acme_url("https://ca.test/a/b?c");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "ca.test");
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->authority, "ca.test");
  EXPECT_EQ(plain->target, "/a/b?c");
  const auto address = parse_acme_url("https://[::1]:14000");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 14000);
  EXPECT_EQ(address->target, "/");
  for (const char* url : {"", "http://ca.test/", "https://", "https:///x", "https://ca.test:0/",
                          "https://me@ca.test/", "https://ca.test/ x", "https://ca.test/\n"})
    EXPECT_FALSE(parse_acme_url(url)) << url;
}

}  // namespace
}  // namespace sidestream::sidecar
