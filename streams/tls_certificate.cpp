#include "streams/tls_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "streams/tls_certificate_parts.h"

namespace sidestream {
namespace {

// No passphrase: nobody is there to type one.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

std::vector<X509Owner> read_chain(std::string_view pem) {
  std::vector<X509Owner> chain;
  const BioOwner reader = reader_of(pem);
  while (chain.size() <= TlsCertificate::chain_length_max) {
    X509Owner one(PEM_read_bio_X509(reader.get(), nullptr, &no_passphrase, nullptr));
    if (!one) break;
    chain.push_back(std::move(one));
  }
  ERR_clear_error();
  return chain;
}

KeyOwner read_key(std::string_view pem) {
  const BioOwner reader = reader_of(pem);
  KeyOwner key(PEM_read_bio_PrivateKey(reader.get(), nullptr, &no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const std::chrono::year_month_day day{std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon) + 1),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  // Far beyond what nanoseconds can count ("no end", RFC 5280 section 4.1.2.5) is their last year.
  constexpr std::chrono::year last_year{2261};
  if (!day.ok() || day.year() > last_year)
    return WallTime(std::chrono::sys_days(last_year / 12 / 31));
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* alternatives = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

TlsCertificateFacts facts_of(X509* leaf) {
  TlsCertificateFacts facts;
  facts.names = names_of(leaf);
  facts.not_before = time_of(X509_get0_notBefore(leaf));
  facts.not_after = time_of(X509_get0_notAfter(leaf));
  unsigned size = 0;
  X509_digest(leaf, EVP_sha256(), facts.sha256.data(), &size);
  facts.self_signed = X509_self_signed(leaf, 0) == 1;
  ERR_clear_error();
  return facts;
}

bool is_for(std::string_view written, const ServerName& name) {
  const auto own = ServerName::parse_with_wildcard(written);
  if (!own) return false;
  return name.is_wildcard() ? *own == name : own->matches(name);
}

std::string without_certificate(std::string_view chain) {
  if (chain.find("PRIVATE KEY-----") != std::string_view::npos)
    return "the chain holds a private key and no certificate; are chain and key mixed up?";
  return "the chain holds no certificate in PEM (-----BEGIN CERTIFICATE-----)";
}

std::string without_key(std::string_view key) {
  if (key.find("ENCRYPTED") != std::string_view::npos)
    return "the key has a passphrase, which nobody can type here; remove it (openssl pkey -in KEY "
           "-out NEW)";
  if (key.find("BEGIN CERTIFICATE") != std::string_view::npos)
    return "the key's file holds a certificate and no key; are chain and key mixed up?";
  return "the key's file holds no private key in PEM (-----BEGIN PRIVATE KEY-----)";
}

}  // namespace

TlsCertificate::TlsCertificate() : parts_(std::make_unique<Parts>()) {}
TlsCertificate::TlsCertificate(TlsCertificate&&) noexcept = default;
TlsCertificate& TlsCertificate::operator=(TlsCertificate&&) noexcept = default;
TlsCertificate::~TlsCertificate() = default;

std::expected<TlsCertificate, std::string> TlsCertificate::parse(std::string_view chain,
                                                                 std::string_view key) {
  std::vector<X509Owner> certificates = read_chain(chain);
  if (certificates.empty()) return std::unexpected(without_certificate(chain));
  if (certificates.size() > chain_length_max)
    return std::unexpected("the chain has more than " + std::to_string(chain_length_max) +
                           " certificates; leave those that belong to the first one");
  TlsCertificate result;
  result.parts_->key = read_key(key);
  if (!result.parts_->key) return std::unexpected(without_key(key));
  result.parts_->leaf = std::move(certificates.front());
  const bool match =
      X509_check_private_key(result.parts_->leaf.get(), result.parts_->key.get()) == 1;
  ERR_clear_error();
  if (!match)
    return std::unexpected(
        "the key does not belong to the first certificate of the chain; put the leaf first, with "
        "its own key");
  for (std::size_t i = 1; i < certificates.size(); ++i)
    result.parts_->issuers.push_back(std::move(certificates[i]));
  result.facts_ = facts_of(result.parts_->leaf.get());
  return result;
}

bool TlsCertificate::covers(const ServerName& name) const {
  return std::ranges::any_of(facts_.names,
                             [&](const std::string& written) { return is_for(written, name); });
}

std::string fingerprint_text(const std::array<std::uint8_t, 32>& sha256) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const std::uint8_t byte : sha256) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace sidestream
