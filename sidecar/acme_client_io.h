// Talks to an ACME authority over HTTPS.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/acme_order_dialogue.h"
#include "sidecar/acme_responder_io.h"
#include "sidecar/acme_settings.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"
#include "streams/tls_client.h"

namespace sidestream::sidecar {

struct AcmeCertificate {
  SecretText pem;           // the chain and its key
  std::string account_url;  // for a CAA record
};

// What the state folder calls what it knows of the account with this authority.
[[nodiscard]] std::string account_facts_file(const std::string& directory);

class AcmeClient {
 public:
  // `network` and `state` outlive it. Trusts what the settings say, or the system's authorities.
  AcmeClient(Network& network, AcmeSettings settings, const StateFolder& state,
             std::optional<std::string> authorities);

  using ShowChallenges = std::function<void(const std::vector<AcmeChallenge>&)>;
  // Whether names are proven in DNS, and nobody looks at them.
  [[nodiscard]] bool proves_by_dns() const { return settings_.dns_hook.has_value(); }

  // What answers on port 80; nullptr: names are proven otherwise. Its owner runs it.
  [[nodiscard]] AcmeResponder* responder() { return responder_.get(); }
  [[nodiscard]] const AcmeResponder* responder() const { return responder_.get(); }

  // Gets one certificate for all of `names`, as soon as not too many are being asked for. `show` is
  // called when there is something to answer,
  // and with nothing when that is over. Throws only when it is cancelled.
  Task<std::expected<AcmeCertificate, AcmeFailure>> obtain(std::vector<std::string> names,
                                                           std::string replaces,
                                                           ShowChallenges show);

  struct RenewalAnswer {
    std::optional<AcmeRenewalWindow> window;  // none: the authority does not say
    std::optional<Duration> ask_again;
  };
  // When the authority wants a certificate to be renewed, by its renewal_name().
  Task<RenewalAnswer> ask_renewal(std::string renewal_name);

 private:
  struct Place;
  struct Showing {
    const ShowChallenges& show;
    std::vector<AcmeChallenge> shown;
  };
  std::expected<TlsAccountKey, std::string> account_key();
  void keep(const AcmeAccountFacts& facts) const;
  [[nodiscard]] AcmeOrderWish wish() const;
  Task<AcmeOrderDialogue::Event> show_by_dns(Showing& showing);
  Task<> clean_up(const Showing& showing);
  Task<AcmeAction> carry_out(AcmeOrderDialogue& dialogue, AcmeAction action, Showing& showing);
  Task<AcmeOrderDialogue::Event> request(AcmeAction action);
  Task<control::HttpResponse> exchange(std::string url, control::HttpRequest request,
                                       std::string& problem);

  Network& network_;
  const AcmeSettings settings_;
  const StateFolder& state_;
  std::expected<TlsClient, std::string> tls_;
  std::unique_ptr<AcmeResponder> responder_;
  std::size_t orders_ = 0;  // at once
  Event order_over_;
};

}  // namespace sidestream::sidecar
