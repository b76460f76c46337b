// Has a certificate from an ACME authority for one service, and keeps it fresh: asks for it when
// there is none, renews it in time, and waits after failures, over restarts too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/acme_client_io.h"
#include "sidecar/acme_schedule.h"
#include "streams/event_io.h"
#include "streams/tls_server.h"

namespace sidestream::sidecar {

class ServiceAcme {
 public:
  struct Callbacks {
    // Whether somebody out there could reach the names now; before that asking is in vain.
    std::function<bool()> reachable;
    std::function<void(const std::string& account_url)> obtained;
    std::function<void()> changed;  // there is another certificate, or another problem()
  };

  // `network`, `client`, `state` and `server` (which answers the challenges) outlive it.
  ServiceAcme(Network& network, AcmeClient& client, const StateFolder& state, TlsServer& server,
              std::vector<std::string> names, std::string directory, Callbacks callbacks);

  // Until it is cancelled.
  Task<> run();
  // Asks now, whatever happened before: somebody has mended something.
  void hurry();
  // What is kept; nullopt: there is none yet. The error is one line for a person.
  [[nodiscard]] std::expected<std::optional<TlsCertificate>, std::string> load() const;
  // Why there is no fresh certificate; empty: there is one, or it is being asked for.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  Task<> wait_until_due();
  Task<> wait_reachable();
  Task<> ask_when_to_renew();
  Task<> order();
  Task<> pause(Duration time);
  void show(const std::vector<AcmeChallenge>& challenges);
  void handle_failure(const AcmeFailure& failure);
  void plan();
  void restore_pause();
  [[nodiscard]] std::expected<void, std::string> keep_pause(WallTime until,
                                                            unsigned failures) const;
  [[nodiscard]] std::string file(std::string_view kind) const;
  void set_problem(std::string problem);

  Network& network_;
  AcmeClient& client_;
  const StateFolder& state_;
  TlsServer& server_;
  const std::vector<std::string> names_;
  const std::string id_;  // of names and authority
  Callbacks callbacks_;
  std::string problem_;
  unsigned failures_ = 0;
  std::optional<WallTime> due_;     // none: at once
  std::optional<WallTime> paused_;  // not before
  std::string renewal_name_;        // of the certificate that is kept
  Duration life_{};                 // its
  Instant ask_at_{};
  bool hurried_ = false;
  Event hurry_;
};

}  // namespace sidestream::sidecar
