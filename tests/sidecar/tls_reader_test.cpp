#include "sidecar/tls_reader.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_fixture.h"
#include "tests/support/tls_pair.h"

namespace sidestream::sidecar {
namespace {

// Reads the keys of a service whose TLS ends here.
class TlsReader : public ::testing::Test {
 protected:
  TlsReader() {
    world_.files["chain.pem"] = pem_.substr(0, pem_.find("-----BEGIN PRIVATE KEY-----"));
    world_.files["key.pem"] = pem_.substr(pem_.find("-----BEGIN PRIVATE KEY-----"));
    world_.files["other.pem"] = self_signed_pem("home.example.com");
  }
  std::string read(std::string_view yaml, bool ends_here = true) {
    return problems_of_reading(
        yaml,
        [&](const ConfigurationValue& value) {
          ConfigurationSection section(value);
          settings_ = read_tls_settings(section, ends_here, publish_);
          section.finish();
        },
        world_);
  }

  std::string read_towards_backends(std::string_view yaml) {
    return problems_of_reading(
        yaml,
        [&](const ConfigurationValue& value) {
          ConfigurationSection section(value);
          towards_backends_ = read_backend_tls_settings(section, service_);
          section.finish();
        },
        world_);
  }

  ServiceConfiguration service_;
  BackendTlsSettings towards_backends_;
  const std::string pem_ = self_signed_pem("home.example.com");
  std::vector<control::Endpoint> publish_{*control::Endpoint::parse("home.example.com")};
  ExampleWorld world_ = example_world();
  TlsSettings settings_;
};

TEST_F(TlsReader, ReadsWhereTheCertificateComesFrom) {
  EXPECT_EQ(read("certificate: self-signed"), "");
  EXPECT_EQ(settings_.certificate.kind, CertificateSource::Kind::self_signed);
  EXPECT_EQ(read("certificate: {chain: chain.pem, key: key.pem}"), "");
  EXPECT_EQ(settings_.certificate,
            (CertificateSource{CertificateSource::Kind::files, "chain.pem", "key.pem"}));
}

TEST_F(TlsReader, ReadsProtocolsAndAuthorities) {
  EXPECT_EQ(read("{certificate: self-signed, alpn: [h2, http/1.1], client_ca: chain.pem}"), "");
  EXPECT_EQ(settings_.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(settings_.client_ca, "chain.pem");
}

TEST_F(TlsReader, AsksAnAuthorityByDefault) {
  EXPECT_EQ(read("alpn: h2"), "");
  EXPECT_EQ(settings_.certificate.kind, CertificateSource::Kind::acme);
  EXPECT_EQ(read("certificate: {chain: chain.pem}"),
            "f:1:14: certificate: the key \"key\" is missing; add `key: FILE`");
}

TEST_F(TlsReader, SaysWhichNamesNoAuthorityCanLookAt) {
  publish_ = {*control::Endpoint::parse(":50002")};
  EXPECT_EQ(read("alpn: h2"),
            "f:1:1: an authority gives certificates for names, and only ports are published; "
            "publish a name too, or write certificate: self-signed");
  EXPECT_EQ(read("certificate: self-signed"), "");
  publish_ = {*control::Endpoint::parse("*.example.com")};
  EXPECT_EQ(read("certificate: acme"),
            "f:1:14: certificate: no authority can look at \"*.example.com\" as a whole; publish "
            "each name, write acme.dns_hook, or self-signed or {chain: FILE, key: FILE}");
  EXPECT_EQ(problems_of_reading(
                "certificate: acme",
                [&](const ConfigurationValue& value) {
                  ConfigurationSection section(value);
                  (void)read_tls_settings(section, true, publish_, true);
                  section.finish();
                },
                world_),
            "");
}

TEST_F(TlsReader, FindsFilesThatAreNoPair) {
  EXPECT_EQ(read("certificate: {chain: missing.pem, key: key.pem}"),
            "f:1:22: certificate.chain: cannot read missing.pem: No such file or directory");
  EXPECT_EQ(read("certificate: {chain: key.pem, key: chain.pem}"),
            "f:1:14: certificate: the chain holds a private key and no certificate; are chain and "
            "key mixed up?");
  EXPECT_EQ(read("certificate: {chain: chain.pem, key: other.pem}"),
            "f:1:14: certificate: the key does not belong to the first certificate of the chain; "
            "put the leaf first, with its own key");
  EXPECT_EQ(read("{certificate: self-signed, client_ca: key.pem}"),
            "f:1:39: client_ca: it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
}

TEST_F(TlsReader, ChecksProtocols) {
  EXPECT_EQ(read("{certificate: self-signed, alpn: [h2, h2]}"),
            "f:1:39: alpn[1]: \"h2\" is in the list twice; remove one of the two");
  EXPECT_EQ(read("{certificate: self-signed, alpn: acme-tls/1}"),
            "f:1:34: alpn: is for those who validate names, and answered without being written "
            "here; remove it");
}

TEST_F(TlsReader, RefusesKeysThatWouldDoNothing) {
  EXPECT_EQ(read("{certificate: self-signed, client_ca: chain.pem}", false),
            "f:1:2: certificate: counts only where TLS ends here; add `tls: terminate`, or remove "
            "it\n"
            "f:1:28: client_ca: counts only where TLS ends here; add `tls: terminate`, or remove "
            "it");
}

TEST_F(TlsReader, ReadsWhomToTrustBehind) {
  service_.publish = {*control::Endpoint::parse("home.example.com")};
  service_.tls = TlsMode::terminate;
  service_.backends = {Backend{*BackendAddress::parse("tls://app:443")}};
  EXPECT_EQ(read_towards_backends("{}"), "");
  EXPECT_EQ(towards_backends_, BackendTlsSettings{});
  EXPECT_EQ(read_towards_backends("{server_name: app.internal, ca: chain.pem}"), "");
  EXPECT_EQ(towards_backends_, (BackendTlsSettings{"app.internal", "chain.pem"}));
  EXPECT_EQ(read_towards_backends("server_name: 192.0.2.1"), "");
  EXPECT_EQ(read_towards_backends("server_name: a b"),
            "f:1:14: server_name: expected a name or an address, as the backend's certificate has "
            "it, not \"a b\"");
  service_.backends.push_back(Backend{*BackendAddress::parse("app:80")});
  EXPECT_EQ(
      read_towards_backends("{}"),
      "f:1:1: some backends are spoken to in TLS and some are not; write tls:// before all of "
      "them, or make two services");
}

TEST_F(TlsReader, SaysWhenThereWouldBeNoTlsBehindOrTooMuch) {
  service_.publish = {*control::Endpoint::parse("home.example.com")};
  service_.backends = {Backend{*BackendAddress::parse("app:443")}};
  EXPECT_EQ(read_towards_backends("ca: chain.pem"),
            "f:1:1: ca: counts only for a backend that is written tls://HOST:PORT; remove it");
  service_.backends = {Backend{*BackendAddress::parse("tls://app:443")}};
  EXPECT_EQ(read_towards_backends("{}"),
            "f:1:1: the clients' own TLS goes through to the backend, so there would be TLS inside "
            "of TLS; write HOST:PORT without tls://, or add `tls: terminate`");
}

}  // namespace
}  // namespace sidestream::sidecar
