// Owners for OpenSSL's objects, for the files named tls_*.cpp.
#pragma once

#include <memory>
#include <new>
#include <string_view>

struct bio_st;
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;
struct X509_req_st;

namespace sidestream {

struct OpenSslFree {
  void operator()(bio_st* object) const noexcept;
  void operator()(evp_pkey_st* object) const noexcept;
  void operator()(ssl_ctx_st* object) const noexcept;
  void operator()(ssl_st* object) const noexcept;
  void operator()(x509_st* object) const noexcept;
  void operator()(X509_req_st* object) const noexcept;
};

using BioOwner = std::unique_ptr<bio_st, OpenSslFree>;
using KeyOwner = std::unique_ptr<evp_pkey_st, OpenSslFree>;
using SslContextOwner = std::unique_ptr<ssl_ctx_st, OpenSslFree>;
using SslOwner = std::unique_ptr<ssl_st, OpenSslFree>;
using X509Owner = std::unique_ptr<x509_st, OpenSslFree>;
using X509RequestOwner = std::unique_ptr<X509_req_st, OpenSslFree>;

// An object that OpenSSL had no memory for.
template <typename Owner>
Owner owned(typename Owner::pointer object) {
  if (object == nullptr) throw std::bad_alloc();
  return Owner(object);
}

// What reads from `text`, which outlives it.
[[nodiscard]] BioOwner reader_of(std::string_view text);

}  // namespace sidestream
