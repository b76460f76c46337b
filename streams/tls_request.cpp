#include "streams/tls_request.h"

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "streams/base64.h"
#include "streams/tls_certificate_parts.h"
#include "streams/tls_openssl.h"

namespace sidestream {
namespace {

void add_names(X509_REQ* request, const std::vector<std::string>& names) {
  std::string value;
  for (const std::string& name : names) value += (value.empty() ? "DNS:" : ",DNS:") + name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str());
  if (extension == nullptr) throw std::bad_alloc();
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, extension);
  X509_REQ_add_extensions(request, extensions);
  sk_X509_EXTENSION_pop_free(extensions, &X509_EXTENSION_free);
}

std::string text_of_key(EVP_PKEY* key) {
  const BioOwner writer = owned<BioOwner>(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PrivateKey(writer.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

TlsRequest make_certificate_request(const std::vector<std::string>& names) {
  const KeyOwner key = owned<KeyOwner>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const X509RequestOwner request = owned<X509RequestOwner>(X509_REQ_new());
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  X509_REQ_set_pubkey(request.get(), key.get());
  add_names(request.get(), names);
  if (X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) throw std::bad_alloc();
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size < 0) throw std::bad_alloc();
  TlsRequest made{.key = SecretText(text_of_key(key.get())), .der = {der, der + size}};
  OPENSSL_free(der);
  return made;
}

std::string renewal_name(const TlsCertificate& certificate) {
  X509* leaf = certificate.parts().leaf.get();
  const ASN1_OCTET_STRING* authority = X509_get0_authority_key_id(leaf);
  if (authority == nullptr) return {};
  // The serial number's value as DER has it: with the zero in front that keeps it positive.
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &der);
  constexpr int tag_and_length = 2;
  if (size <= tag_and_length) return {};
  const std::string serial =
      serialize_base64url({der + tag_and_length, static_cast<std::size_t>(size - tag_and_length)});
  OPENSSL_free(der);
  return serialize_base64url({ASN1_STRING_get0_data(authority),
                              static_cast<std::size_t>(ASN1_STRING_length(authority))}) +
         '.' + serial;
}

}  // namespace sidestream
