#include "streams/tls_openssl.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace sidestream {

void OpenSslFree::operator()(bio_st* object) const noexcept {
  BIO_free_all(object);
}
void OpenSslFree::operator()(evp_pkey_st* object) const noexcept {
  EVP_PKEY_free(object);
}
void OpenSslFree::operator()(ssl_ctx_st* object) const noexcept {
  SSL_CTX_free(object);
}
void OpenSslFree::operator()(ssl_st* object) const noexcept {
  SSL_free(object);
}
void OpenSslFree::operator()(x509_st* object) const noexcept {
  X509_free(object);
}
void OpenSslFree::operator()(X509_req_st* object) const noexcept {
  X509_REQ_free(object);
}

BioOwner reader_of(std::string_view text) {
  // OpenSSL takes no memory of no size for none at all.
  if (text.empty()) text = " ";
  return owned<BioOwner>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace sidestream
