// Certificate authorities that somebody has chosen to trust, for the files named tls_*.cpp.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

struct x509_store_st;
struct stack_st_X509_NAME;

namespace sidestream {

class TlsAuthorities {
 public:
  // PEM, one certificate at least. The error says in one line what is wrong.
  static std::expected<TlsAuthorities, std::string> parse(std::string_view pem);
  // Those that the system trusts: where OpenSSL was built to look and where distributions have
  // them, or only where SSL_CERT_FILE and SSL_CERT_DIR say.
  static TlsAuthorities of_system();

  // Still owned here; who keeps it takes a reference.
  [[nodiscard]] x509_store_st* store() const { return store_.get(); }
  // Their names as a list of its own, which the caller owns.
  [[nodiscard]] stack_st_X509_NAME* names() const;
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Free {
    void operator()(x509_store_st* store) const noexcept;
  };
  TlsAuthorities();
  std::unique_ptr<x509_store_st, Free> store_;
  std::size_t count_ = 0;
};

}  // namespace sidestream
