// Getting one certificate from an ACME authority (RFC 8555) by tls-alpn-01 (RFC 8737), http-01
// or dns-01, as a dialogue: directory, nonce, account, order, authorizations, challenges, request,
// certificate. It knows no network and no clock; whoever drives it carries out its actions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/http_message.h"
#include "sidecar/acme_jws.h"
#include "sidecar/acme_messages.h"
#include "streams/time.h"

namespace sidestream::sidecar {

struct AcmeOrderLimits {
  std::size_t bad_nonces_max = 100;  // in a row; an authority under load refuses some
  std::size_t polls_max = 60;        // of one order or authorization
  Duration poll_interval = 2s;
  Duration poll_interval_max = 60s;  // whatever the authority asks for
};

struct AcmeOrderWish {
  std::string directory;
  std::string email;  // empty: none
  std::optional<AcmeBinding> binding;
  std::string profile;             // empty: the authority's default
  std::vector<std::string> names;  // with wildcards only where `challenge` is dns-01
  std::string challenge = "tls-alpn-01";
  std::string replaces;  // the renewal_name() of the certificate before; empty: none
};

struct AcmeChallenge {
  std::string name;                       // without the star
  std::array<std::uint8_t, 32> digest{};  // of the key authorization
  std::string token{};
  std::string key_authorization{};
};

struct AcmeFailure {
  enum class Kind : std::uint8_t {
    unreachable,  // no answer, or the authority has a problem of its own
    limited,      // too many requests
    refused,      // the authority has judged, and asking again changes nothing by itself
  };
  Kind kind = Kind::refused;
  std::string why{};                      // for a person
  std::optional<Duration> retry_after{};  // as the authority wants it
};

struct AcmeAction {
  enum class Kind : std::uint8_t {
    get,
    post,    // `body` is application/jose+json
    show,    // answer these challenges from now on
    wait,    // so long
    done,    // `body` is the chain in PEM
    failed,  // `failure`
  };
  Kind kind;
  std::string url{};
  std::string body{};
  std::vector<AcmeChallenge> challenges{};
  Duration wait{};
  AcmeFailure failure{};
};

class AcmeOrderDialogue {
 public:
  // `account` and `request` (a certificate request in DER) outlive it.
  AcmeOrderDialogue(AcmeOrderWish wish, const TlsAccountKey& account, Bytes request,
                    const AcmeOrderLimits& limits = {});

  struct Event {
    enum class Kind : std::uint8_t {
      carried_out,  // it begins; or what was to be shown is shown; or the wait is over
      response,
      unreachable,  // `why`: there was no response
      not_shown,    // `why`: the challenges could not be shown
    };
    Kind kind = Kind::carried_out;
    control::HttpResponse response{};
    std::string why{};
  };
  // What to do next. After done and failed it is over.
  AcmeAction resume(Event event);

  // The account's URL, as soon as it is known, and what the authority says of itself.
  [[nodiscard]] const std::string& account_url() const { return account_url_; }
  [[nodiscard]] AcmeAccountFacts account() const { return {account_url_, directory_.issuers}; }

 private:
  enum class Step : std::uint8_t {
    directory,
    account,
    order,
    authorization,  // one after the other
    show,
    challenge,  // one after the other
    poll_authorization,
    finalize,
    poll_order,
    certificate,
  };

  AcmeAction enter(Step step);
  AcmeAction ask();
  AcmeAction post(std::string url, std::string payload);
  AcmeAction seal();
  AcmeAction handle_response(const control::HttpResponse& response);
  AcmeAction handle_error(const control::HttpResponse& response);
  AcmeAction handle_directory(const std::string& body);
  AcmeAction handle_order(const control::HttpResponse& response);
  AcmeAction handle_authorization(const control::HttpResponse& response);
  AcmeAction handle_poll(const control::HttpResponse& response);
  AcmeAction wait_and_ask(const control::HttpResponse& response);
  [[nodiscard]] std::string account_payload() const;
  [[nodiscard]] std::string order_payload() const;
  static AcmeAction fail(std::string why, AcmeFailure::Kind kind = AcmeFailure::Kind::refused);

  AcmeOrderWish wish_;
  const TlsAccountKey& account_;
  Bytes request_;
  AcmeOrderLimits limits_;

  Step step_ = Step::directory;
  bool begun_ = false;
  AcmeDirectory directory_;
  std::string nonce_;
  bool fetching_nonce_ = false;
  std::size_t bad_nonces_ = 0;
  std::string url_;  // of the latest request, to be sealed again with another nonce
  std::string payload_;
  std::string account_url_;
  std::string order_url_;
  AcmeOrder order_;
  struct Pending {
    std::string url;  // of the authorization
    AcmeAuthorization authorization;
  };
  std::vector<Pending> pending_;
  std::size_t index_ = 0;  // of the authorization, then of the pending one
  std::size_t polls_ = 0;
};

// `Retry-After` in seconds (RFC 9110 section 10.2.3); a date counts as none.
[[nodiscard]] std::optional<Duration> retry_after_of(const control::HttpResponse& response);

}  // namespace sidestream::sidecar
