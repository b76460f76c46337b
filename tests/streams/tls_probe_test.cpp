#include "streams/tls_probe.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

namespace sidestream {
namespace {

// A TLS server over memory with a throw-away certificate.
class MemoryServer {
 public:
  MemoryServer() {
    key_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    certificate_ = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_sign(certificate_, key_, EVP_sha256());
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate_);
    SSL_CTX_use_PrivateKey(context_, key_);
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_);
  }
  ~MemoryServer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  MemoryServer(const MemoryServer&) = delete;
  MemoryServer& operator=(const MemoryServer&) = delete;

  std::vector<std::uint8_t> answer(Bytes received) {
    BIO_write(SSL_get_rbio(ssl_), received.data(), static_cast<int>(received.size()));
    SSL_do_handshake(ssl_);
    std::vector<std::uint8_t> bytes(BIO_ctrl_pending(SSL_get_wbio(ssl_)));
    if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

 private:
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

TEST(TlsProbe, FinishesAHandshakeByteByByte) {
  MemoryServer server;
  TlsProbe probe("tls.example.com");
  const auto answer = server.answer(probe.poll_transmit());
  ASSERT_FALSE(answer.empty());
  for (std::size_t i = 0; i + 1 < answer.size(); ++i)
    ASSERT_EQ(probe.feed(Bytes(answer).subspan(i, 1)), TlsProbe::Verdict::need_more) << i;
  EXPECT_EQ(probe.feed(Bytes(answer).last(1)), TlsProbe::Verdict::speaks_tls);
}

TEST(TlsProbe, SaysThatAPlainServerDoesNotSpeakTls) {
  TlsProbe probe("");
  EXPECT_FALSE(probe.poll_transmit().empty());
  EXPECT_EQ(probe.feed(bytes_of("SSH-2.0-OpenSSH_9.2\r\n")), TlsProbe::Verdict::failed);
  EXPECT_FALSE(probe.reason().empty());
}

}  // namespace
}  // namespace sidestream
