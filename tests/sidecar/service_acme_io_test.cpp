#include "sidecar/service_acme_io.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <map>

#include "control/http_server_io.h"
#include "streams/tls_request.h"
#include "tests/sidecar/fake_authority_io.h"
#include "tests/support/tls_pair.h"

namespace sidestream::sidecar {
namespace {

using std::chrono::days;

// What the disk holds, whatever happens to the program.
class KeptState final : public StateFolder {
 public:
  KeptState() : StateFolder("/state") {}
  std::expected<std::optional<std::string>, std::string> read(
      std::string_view name) const override {
    const auto found = files->find(name);
    return found == files->end() ? std::nullopt : std::optional(found->second);
  }
  std::expected<void, std::string> write(std::string_view name,
                                         std::string_view content) const override {
    if (*full) return std::unexpected("/state: no space left on device");
    (*files)[std::string(name)] = content;
    return {};
  }
  std::unique_ptr<std::map<std::string, std::string, std::less<>>> files =
      std::make_unique<std::map<std::string, std::string, std::less<>>>();
  std::unique_ptr<bool> full = std::make_unique<bool>(false);
};

class ServiceAcmeTest : public ::testing::Test {
 protected:
  ServiceAcmeTest() {
    world_.set_paths(home_, far_, {.delay = 20ms});
    settings_.directory = FakeAuthority::directory;
    authority_.look = [this](const std::string& name) { return shows_challenge(name); };
  }
  ~ServiceAcmeTest() override { stop(); }

  void start() {
    Network& network = home_.boot();
    keys_ = std::make_unique<TlsTicketKeys>(network.random());
    server_ = std::make_unique<TlsServer>(TlsServerSettings{}, *keys_);
    client_ = std::make_unique<AcmeClient>(network, settings_, state_, authority_.certificate());
    acme_ = std::make_unique<ServiceAcme>(
        network, *client_, state_, *server_, names_, settings_.directory,
        ServiceAcme::Callbacks{.reachable = [this] { return published_; },
                               .obtained = [this](const std::string& url) { account_ = url; },
                               .changed = [] {}});
    group_ = std::make_unique<TaskGroup>(world_.loop().executor());
    group_->spawn(acme_->run(), [](const std::exception_ptr&) { FAIL() << "it ended"; });
  }
  void stop() {
    if (group_) world_.run(group_->stop());
    group_.reset();
    acme_.reset();
    client_.reset();
    server_.reset();
  }
  void restart() {
    stop();
    start();
  }
  // With a certificate.
  void begin() {
    start();
    ASSERT_TRUE(world_.run_until([this] { return authority_.issued == 1 && kept(); }, 1min))
        << acme_->problem();
  }

  // As a client that offers `acme-tls/1` and looks at what it is shown; the name comes from the
  // test's certificate, so only the protocol is looked at here.
  bool shows_challenge(const std::string& name) {
    const SslContextOwner context = owned<SslContextOwner>(SSL_CTX_new(TLS_client_method()));
    SslOwner ssl = owned<SslOwner>(SSL_new(context.get()));
    const std::string alpn = "\nacme-tls/1";
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
    SSL_set_connect_state(ssl.get());
    TlsSession near(std::move(ssl));
    const auto far = server_->accept();
    for (int flight = 0; flight < 5; ++flight) {
      near.handshake();
      TlsPair::deliver(near, *far, 1U << 20U);
      far->handshake();
      TlsPair::deliver(*far, near, 1U << 20U);
    }
    return near.alpn() == "acme-tls/1";
  }

  std::optional<TlsCertificate> kept() {
    auto loaded = acme_->load();
    return loaded ? std::move(*loaded) : std::nullopt;
  }
  WallTime now() { return home_.network().timers().wall_now(); }
  // Orders since `instant`.
  std::size_t orders_since(Instant instant) {
    return static_cast<std::size_t>(std::ranges::count_if(
        authority_.orders, [&](const auto& order) { return order.at >= instant; }));
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.0.2.2")});
  SimulatedHost& far_ = world_.add_host("authority", {*IpAddress::parse("192.0.2.9")});
  FakeAuthority authority_{world_, far_};
  AcmeSettings settings_;
  KeptState state_;
  std::vector<std::string> names_{"a.test", "b.test"};
  bool published_ = true;
  std::string account_;
  std::unique_ptr<TlsTicketKeys> keys_;
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<AcmeClient> client_;
  std::unique_ptr<ServiceAcme> acme_;
  std::unique_ptr<TaskGroup> group_;
};

TEST_F(ServiceAcmeTest, ProvesEachNameOnceItIsPublished) {
  published_ = false;
  start();
  world_.advance(24h);
  EXPECT_EQ(authority_.dials, 0U);
  published_ = true;
  world_.advance(1min);
  EXPECT_EQ(authority_.issued, 1U) << acme_->problem();
  EXPECT_EQ(authority_.looks, 2U);
  EXPECT_EQ(account_, "https://ca.test/account/1");
  EXPECT_EQ(kept()->facts().names, (std::vector<std::string>{"a.test", "b.test"}));
  EXPECT_FALSE(shows_challenge("a.test")) << "it is over";
}

TEST_F(ServiceAcmeTest, NineOfTenNoncesMayBeRefused) {
  authority_.bad_nonces_percent = 90;
  start();
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 1; }, 5min))
      << acme_->problem();
  EXPECT_EQ(authority_.orders.size(), 1U);
}

TEST_F(ServiceAcmeTest, WhatIsAuthorizedAlreadyIsNotLookedAtAgain) {
  authority_.remembers = true;
  authority_.life = days(15);
  begin();
  EXPECT_EQ(authority_.looks, 2U);
  world_.advance(days(11));
  EXPECT_EQ(authority_.issued, 2U);
  EXPECT_EQ(authority_.looks, 2U);
}

TEST_F(ServiceAcmeTest, AnAuthorityMayBeDownForADay) {
  authority_.life = days(15);
  begin();
  world_.advance(days(9) + 22h);
  ASSERT_EQ(authority_.issued, 1U);
  authority_.set_up(false);
  world_.advance(days(1) + 10h);
  EXPECT_TRUE(kept()) << "the old one is still there";
  EXPECT_TRUE(acme_->problem().starts_with("the authority does not answer: ")) << acme_->problem();
  EXPECT_NE(acme_->problem().find("; the next attempt is at 2026-01-12 "), std::string::npos);
  authority_.set_up(true);
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 2; }, 76min));
  world_.advance(1min);
  EXPECT_EQ(acme_->problem(), "");
  EXPECT_EQ(authority_.orders.size(), 2U);
}

// A window that lies behind us.
TEST_F(ServiceAcmeTest, TheAuthorityMayWantANewCertificateNow) {
  authority_.window = AcmeRenewalWindow{now() + days(58), now() + days(60)};
  begin();
  const std::string name = renewal_name(*kept());
  world_.advance(2h);
  authority_.window = AcmeRenewalWindow{now() - 2h, now() - 1h};
  // It has been asked and is asked again after the six hours that it wanted, or after a restart.
  restart();
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 2; }, 1min));
  EXPECT_EQ(authority_.orders.back().replaces, name);
  EXPECT_EQ(authority_.orders.front().replaces, "");

  // Who calls every new certificate old is not asked for more than one in an hour.
  const Instant from = world_.now();
  world_.advance(24h);
  EXPECT_LE(orders_since(from), 24U);
  EXPECT_GE(orders_since(from), 2U);
}

TEST_F(ServiceAcmeTest, ItIsRenewedWithinTheWindow) {
  const WallTime begun = now();
  authority_.window = AcmeRenewalWindow{begun + days(20), begun + days(21)};
  begin();
  world_.advance(days(20) - 1h);
  EXPECT_EQ(authority_.issued, 1U);
  EXPECT_GE(authority_.renewal_questions, 75U) << "four times a day";
  EXPECT_LE(authority_.renewal_questions, 85U);
  authority_.window = AcmeRenewalWindow{begun + days(20), begun + days(21)};
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 2; }, 26h));
}

TEST_F(ServiceAcmeTest, WithoutAWindowItIsRenewedAfterTwoThirdsOfItsLife) {
  authority_.life = days(15);
  begin();
  world_.advance(days(10) - 1h);
  EXPECT_EQ(authority_.issued, 1U);
  world_.advance(9h);
  EXPECT_EQ(authority_.issued, 2U);
  EXPECT_EQ(authority_.orders.back().replaces, "") << "this authority knows no such thing";
}

// 160 hours, and a clock that goes where it wants.
TEST_F(ServiceAcmeTest, AShortLifeIsRenewedInTimeWhateverTheClockDoes) {
  authority_.life = 160h;
  begin();
  SeededRandom random(7);
  for (int i = 0; i < 60; ++i) {
    const Duration jump = 1h * random.below(70) - 10h;
    home_.jump_wall_clock(jump);
    far_.jump_wall_clock(jump);
    world_.advance(5min);
    const auto certificate = kept();
    ASSERT_TRUE(certificate);
    EXPECT_LT(now(), certificate->facts().not_after) << i;
    world_.advance(3h);
  }
  EXPECT_GE(authority_.issued, 10U);
  EXPECT_LE(authority_.issued, 30U);
}

TEST_F(ServiceAcmeTest, RestartsAskForNothing) {
  begin();
  world_.advance(1min);
  const std::size_t dials = authority_.dials;
  for (int i = 0; i < 100; ++i) {
    restart();
    world_.advance(10s);
  }
  EXPECT_EQ(authority_.orders.size(), 1U);
  EXPECT_LE(authority_.dials - dials, 100U) << "one question each, when to renew";
}

TEST_F(ServiceAcmeTest, DyingInTheMiddleOfAnOrderAgainAndAgainIsNoFlood) {
  start();
  for (int i = 0; i < 600; ++i) {
    world_.advance(1s);
    restart();
  }
  EXPECT_LE(authority_.orders.size(), 5U) << "in ten minutes";
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 1; }, 1h));
}

TEST_F(ServiceAcmeTest, TooManyRequestsMeansWaiting) {
  authority_.retry_after = 40 * 3600;
  start();
  world_.advance(1min);
  EXPECT_EQ(authority_.orders.size(), 1U);
  EXPECT_TRUE(acme_->problem().starts_with("the authority refuses: no (rateLimited); the next "))
      << acme_->problem();
  for (int i = 0; i < 39; ++i) {
    world_.advance(1h);
    restart();
  }
  EXPECT_EQ(authority_.orders.size(), 1U);
  authority_.retry_after.reset();
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 1; }, 2h));
}

// Let's Encrypt allows five failed authorizations of a name in an hour.
TEST_F(ServiceAcmeTest, ANameThatLeadsElsewhereIsTriedEverMoreSeldom) {
  authority_.look = [](const std::string&) { return false; };
  start();
  world_.advance(1min);
  EXPECT_NE(acme_->problem().find("could not see that a.test is served here"), std::string::npos);
  world_.advance(59min);
  EXPECT_EQ(authority_.orders.size(), 1U);
  world_.advance(24h);
  EXPECT_LE(authority_.orders.size(), 6U);
  const std::size_t before = authority_.orders.size();
  acme_->hurry();
  world_.advance(10s);
  EXPECT_EQ(authority_.orders.size(), before + 1) << "somebody has said that it is mended";
}

TEST_F(ServiceAcmeTest, NothingIsAskedForThatCannotBeKept) {
  *state_.full = true;
  start();
  world_.advance(24h);
  EXPECT_EQ(authority_.orders.size(), 0U);
  EXPECT_TRUE(acme_->problem().starts_with("/state: no space left")) << acme_->problem();
  *state_.full = false;
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 1; }, 76min));
}

TEST_F(ServiceAcmeTest, AProfileIsAskedForByName) {
  authority_.profiles = {"classic", "shortlived"};
  settings_.profile = "shortlived";
  begin();
  EXPECT_EQ(authority_.orders.front().profile, "shortlived");
  stop();
  settings_.profile = "longlived";
  state_.files->clear();
  start();
  world_.advance(1min);
  EXPECT_TRUE(acme_->problem().starts_with(
      "the authority has no profile \"longlived\"; it has classic, shortlived; the next"))
      << acme_->problem();
  EXPECT_EQ(authority_.orders.size(), 1U);
}

// Writes TXT records, or says that it cannot.
class FakeHook final : public control::HttpService {
 public:
  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress) override {
    asked.push_back(request.target + " " + request.body);
    control::HttpResponse response;
    response.status = status;
    co_return response;
  }
  std::vector<std::string> asked;
  unsigned status = 204;
};

class DnsHookTest : public ServiceAcmeTest {
 protected:
  DnsHookTest() {
    names_ = {"a.test", "*.a.test"};
    published_ = false;  // nobody has to look
    settings_.dns_hook = *BackendAddress::parse("192.0.2.9:8053");
    hooks_.spawn(hook_server_.run(), [](const std::exception_ptr&) {});
    authority_.look = [this](const std::string&) { return hook_.asked.size() == 2; };
  }
  ~DnsHookTest() override { world_.run(hooks_.stop()); }

  FakeHook hook_;
  std::unique_ptr<Listener> listener_ =
      far_.network().listen({*IpAddress::parse("192.0.2.9"), 8053}, {});
  control::HttpServer hook_server_{world_.loop().executor(), far_.network().timers(), *listener_,
                                   hook_};
  TaskGroup hooks_{world_.loop().executor()};
};

TEST_F(DnsHookTest, AskedForRecordsItProvesWildcardsToo) {
  start();
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 1 && kept(); }, 1min))
      << acme_->problem();
  world_.advance(1s);
  EXPECT_EQ(kept()->facts().names, names_);
  ASSERT_EQ(hook_.asked.size(), 4U);
  EXPECT_TRUE(hook_.asked[0].starts_with(R"(/present {"fqdn":"_acme-challenge.a.test.","value":")"))
      << hook_.asked[0];
  EXPECT_NE(hook_.asked[0], hook_.asked[1]) << "two values under one name";
  EXPECT_EQ("/cleanup" + hook_.asked[1].substr(8), hook_.asked[3]);
}

TEST_F(DnsHookTest, ThatFailsIsTold) {
  hook_.status = 500;
  start();
  world_.advance(10s);
  EXPECT_TRUE(acme_->problem().starts_with(
      "acme.dns_hook (192.0.2.9:8053) answers /present with status 500; the next attempt is at"))
      << acme_->problem();
  EXPECT_EQ(authority_.looks, 0U);
  listener_->close();
  acme_->hurry();
  world_.advance(10s);
  EXPECT_TRUE(acme_->problem().starts_with("acme.dns_hook (192.0.2.9:8053) does not answer"))
      << acme_->problem();
}

TEST_F(ServiceAcmeTest, WhatIsKeptAndCannotBeReadIsReplaced) {
  begin();
  stop();
  for (auto& [name, content] : *state_.files)
    if (name.ends_with(".pem") && name.starts_with("acme-a.test")) content = "half a cert";
  start();
  // It rests for an hour after the first one.
  EXPECT_TRUE(world_.run_until([this] { return authority_.issued == 2; }, 61min));
}

}  // namespace
}  // namespace sidestream::sidecar
