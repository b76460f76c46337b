// Ends TLS for the clients of one service: has a certificate, keeps it fresh, and makes a plain
// stream of one from a client.
#pragma once

#include <array>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/service_acme_io.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"
#include "streams/tls_server.h"
#include "streams/tls_stream_io.h"

namespace sidestream::sidecar {

// Where certificates are found.
struct CertificateStore {
  FileReader read_file;                // of the configuration
  FileReader read_secret_file;         // the same for a key: one that others can read is an error
  const StateFolder* state = nullptr;  // nullptr: there is none
  AcmeClient* acme = nullptr;          // nullptr: nothing is kept, so nothing is asked for
  std::string acme_directory{};
  // Whether all names of a service are published somewhere.
  std::function<bool(const ServiceConfiguration&)> published{};
  // An authority has given a certificate to this account.
  std::function<void(const std::string& account_url)> obtained{};
};

struct ServiceTlsLimits {
  Duration handshake = 10s;
  Duration look_every = 10s;  // at files that may have been replaced
  Duration look_again = 2s;   // when they could not be used
  Duration warn_before_end = std::chrono::days(14);
};

class ServiceTls {
 public:
  // `on_change` is called when the certificates or problem() have changed. `network` and the state
  // folder outlive it. Nothing is read yet.
  ServiceTls(Network& network, const ServiceConfiguration& configuration, CertificateStore store,
             std::function<void(const ServiceTls&)> on_change);

  // Reads what there is now, makes what is missing. What cannot be used changes nothing but
  // problem().
  void look();
  // Looks again and again and renews the keys of tickets, until it is cancelled.
  Task<> keep_fresh();

  // Whether a client can be served.
  [[nodiscard]] bool ready() const { return !server_.certificates().empty(); }
  // Whether the names have to be published: clients are served, or an authority wants to look.
  [[nodiscard]] bool wanted() const { return ready() || acme_ != nullptr; }
  // Whether an authority is about to look at a name.
  [[nodiscard]] bool is_looked_at() const { return server_.has_challenges(); }
  // Looks now, and does not wait any longer after a failure.
  void hurry();
  // The handshake with a client, within its time. The error is for the log; the transport was ended
  // then. Throws only when it is cancelled.
  Task<std::expected<std::unique_ptr<TlsStream>, std::string>> accept(
      std::unique_ptr<Stream> transport);

  [[nodiscard]] const std::vector<TlsCertificate>& certificates() const {
    return server_.certificates();
  }
  // `acme`, `self-signed` or `files`.
  [[nodiscard]] std::string_view source() const;
  // What somebody should see to, in one line; empty: nothing.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  using Loaded = std::expected<std::vector<TlsCertificate>, std::string>;
  Loaded load();
  Loaded load_files();
  Loaded load_self_signed();
  Loaded load_acme();
  Task<> look_again_and_again();
  std::expected<TlsCertificate, std::string> self_signed_for(const std::string& name);
  std::expected<void, std::string> load_authorities();
  std::expected<void, std::string> take(Loaded loaded);
  [[nodiscard]] std::string shortcoming() const;
  void rotate_ticket_keys();

  Network& network_;
  const ServiceConfiguration& configuration_;
  CertificateStore store_;
  std::function<void(const ServiceTls&)> on_change_;
  ServiceTlsLimits limits_;
  TlsTicketKeys ticket_keys_;
  Instant keys_made_;
  TlsServer server_;
  std::string authorities_;  // of clients, as they were read
  std::string failure_;      // of the last look; it counts when the next one fails too
  std::string problem_;
  std::unique_ptr<ServiceAcme> acme_;
};

// What the state folder calls the certificate of a name.
[[nodiscard]] std::string self_signed_file(const std::string& name);
// The names that a self-signed certificate is made for: those that are published, or the service's.
[[nodiscard]] std::vector<std::string> certificate_names(const ServiceConfiguration& service);

}  // namespace sidestream::sidecar
