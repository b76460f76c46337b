#include "streams/tls_authorities.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdlib>

#include "streams/tls_openssl.h"
#include "streams/tls_server.h"

namespace sidestream {
namespace {

// The program runs on other distributions than the one it was built on, and in an image of its own,
// which have no /usr/lib/ssl.
constexpr std::array bundles{
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Arch, Alpine, the image
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora
    "/etc/ssl/ca-bundle.pem",              // openSUSE
};

}  // namespace

void TlsAuthorities::Free::operator()(x509_store_st* store) const noexcept {
  X509_STORE_free(store);
}

TlsAuthorities::TlsAuthorities() : store_(X509_STORE_new()) {
  if (!store_) throw std::bad_alloc();
}

std::expected<TlsAuthorities, std::string> TlsAuthorities::parse(std::string_view pem) {
  TlsAuthorities result;
  const BioOwner reader = reader_of(pem);
  for (;;) {
    const X509Owner one(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    X509_STORE_add_cert(result.store_.get(), one.get());
    ++result.count_;
  }
  ERR_clear_error();
  if (result.count_ == 0)
    return std::unexpected("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  return result;
}

TlsAuthorities TlsAuthorities::of_system() {
  TlsAuthorities result;
  // Its files and folders, not its third source: OpenSSL 3.0 frees that one twice when memory is
  // short (OSSL_STORE_open_ex).
  if (X509_LOOKUP* file = X509_STORE_add_lookup(result.store_.get(), X509_LOOKUP_file()))
    X509_LOOKUP_load_file(file, nullptr, X509_FILETYPE_DEFAULT);
  if (X509_LOOKUP* folder = X509_STORE_add_lookup(result.store_.get(), X509_LOOKUP_hash_dir()))
    X509_LOOKUP_add_dir(folder, nullptr, X509_FILETYPE_DEFAULT);
  const bool chosen =
      ::secure_getenv("SSL_CERT_FILE") != nullptr || ::secure_getenv("SSL_CERT_DIR") != nullptr;
  for (const char* bundle : bundles)
    if (!chosen && X509_STORE_load_file(result.store_.get(), bundle) == 1) break;
  ERR_clear_error();
  return result;
}

stack_st_X509_NAME* TlsAuthorities::names() const {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store_.get());
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate != nullptr)
      sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate)));
  }
  return names;
}

std::expected<std::size_t, std::string> count_authorities(std::string_view pem) {
  const auto authorities = TlsAuthorities::parse(pem);
  if (!authorities) return std::unexpected(authorities.error());
  return authorities->count();
}

}  // namespace sidestream
