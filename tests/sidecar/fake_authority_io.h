// An ACME authority on a simulated network, with what Debian's pebble does not have: renewal
// information, profiles, limits, a life of any length, and a virtual clock.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/http_message.h"
#include "control/json.h"
#include "sidecar/acme_messages.h"
#include "streams/task_group_io.h"
#include "streams/tls_server.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream::sidecar {

class FakeAuthority {
 public:
  static constexpr const char* directory = "https://ca.test/directory";

  // At https://ca.test, which is made known to the world.
  FakeAuthority(World& world, SimulatedHost& host);
  ~FakeAuthority();

  // Whether connections are taken.
  void set_up(bool up);
  // What clients have to trust.
  [[nodiscard]] const std::string& certificate() const { return https_; }

  // ---- how it behaves
  Duration life = std::chrono::days(90);
  std::optional<AcmeRenewalWindow> window;  // none: it has no renewal information
  std::vector<std::string> profiles;
  unsigned bad_nonces_percent = 0;
  bool remembers = false;               // what was authorized once stays so
  std::optional<unsigned> retry_after;  // orders are refused with 429, seconds
  // Looks at a name, as a client that offers `acme-tls/1` would.
  std::function<bool(const std::string& name)> look = [](const std::string&) { return true; };

  // ---- what it has seen
  struct Order {
    Instant at;
    std::vector<std::string> names;
    std::string profile;
    std::string replaces;
  };
  std::vector<Order> orders;  // also those that were refused
  std::size_t issued = 0;
  std::size_t looks = 0;
  std::size_t dials = 0;
  std::size_t renewal_questions = 0;
  std::set<std::string> kids;  // who asked

 private:
  Task<> accept_all(Listener& listener);
  Task<> serve(std::unique_ptr<Stream> transport);
  Task<> converse(Stream& stream);
  control::HttpResponse respond(const control::HttpRequest& request);
  control::HttpResponse respond_signed(const std::string& path, const control::Json& envelope);
  control::HttpResponse take_order(const control::Json& payload);
  control::HttpResponse show_order(const std::string& status);
  control::HttpResponse show_authorization(const std::string& name);
  [[nodiscard]] std::string directory_body() const;
  [[nodiscard]] std::string issue(Bytes request);

  World& world_;
  SimulatedHost& host_;
  std::string https_;  // certificate and key
  TlsTicketKeys ticket_keys_;
  TlsServer server_;
  bool up_ = false;
  std::vector<std::unique_ptr<Listener>> listeners_;  // the last one listens
  TaskGroup group_;
  std::set<std::string> nonces_;
  std::size_t nonce_count_ = 0;
  std::map<std::string, std::string> verdicts_;  // valid or invalid, by name
  std::string chain_;
};

}  // namespace sidestream::sidecar
