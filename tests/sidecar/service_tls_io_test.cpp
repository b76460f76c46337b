#include "sidecar/service_tls_io.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "streams/postgres_opening.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/simulated_world_io.h"
#include "tests/support/tls_pair.h"

namespace sidestream::sidecar {
namespace {

namespace fs = std::filesystem;

std::array<std::uint8_t, 32> print_of(const std::string& pem) {
  return certificate_of(pem).facts().sha256;
}

class ServiceTlsTest : public ::testing::Test {
 protected:
  ServiceTlsTest() {
    configuration_.name = "electrum";
    configuration_.tls = TlsMode::terminate;
    configuration_.tls_settings.certificate.kind = CertificateSource::Kind::self_signed;
    publish("home.example.com");
    publish(":50002");
  }
  ~ServiceTlsTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  void publish(const char* endpoint) {
    configuration_.publish.push_back(*control::Endpoint::parse(endpoint));
  }
  void from_files() {
    configuration_.tls_settings.certificate = {CertificateSource::Kind::files, "chain", "key"};
  }
  std::unique_ptr<ServiceTls> make(const StateFolder* state = nullptr) {
    const auto read = [this](const std::string& path) -> std::expected<std::string, std::string> {
      const auto found = files_.find(path);
      if (found != files_.end()) return found->second;
      return std::unexpected("cannot read " + path);
    };
    return std::make_unique<ServiceTls>(
        network_, configuration_,
        CertificateStore{.read_file = read, .read_secret_file = read, .state = state},
        [this](const ServiceTls&) { ++changes_; });
  }
  void put(const std::string& pem) { files_["chain"] = files_["key"] = pem; }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.0.2.2")});
  Network& network_ = home_.boot();
  fs::path folder_ = fs::temp_directory_path() / ("sidestream-tls-" + std::to_string(::getpid()));
  ServiceConfiguration configuration_;
  std::map<std::string, std::string> files_;
  int changes_ = 0;
};

TEST_F(ServiceTlsTest, ASelfSignedCertificateOutlivesARestart) {
  const StateFolder state(folder_);
  ASSERT_TRUE(state.prepare());
  auto first = make(&state);
  EXPECT_FALSE(first->ready());
  first->look();
  ASSERT_TRUE(first->ready());
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(first->problem(), "");
  const auto print = first->certificates()[0].facts().sha256;
  first->look();
  EXPECT_EQ(changes_, 1);
  struct stat facts{};
  ASSERT_EQ(::stat(state.path_of("self-signed-home.example.com.pem").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);

  auto second = make(&state);
  second->look();
  EXPECT_EQ(second->certificates()[0].facts().sha256, print);
}

TEST_F(ServiceTlsTest, EachNameHasASelfSignedCertificateOfItsOwn) {
  const StateFolder state(folder_);
  ASSERT_TRUE(state.prepare());
  publish("*.other.example.com");
  auto tls = make(&state);
  tls->look();
  ASSERT_EQ(tls->certificates().size(), 2U);
  EXPECT_EQ(tls->certificates()[1].facts().names[0], "*.other.example.com");
  EXPECT_TRUE(fs::exists(state.path_of("self-signed-_.other.example.com.pem")));
}

TEST_F(ServiceTlsTest, WithoutNamesTheCertificateHasTheServices) {
  configuration_.publish.erase(configuration_.publish.begin());
  EXPECT_EQ(certificate_names(configuration_), std::vector<std::string>{"electrum"});
}

TEST_F(ServiceTlsTest, ASelfSignedCertificateNeedsItsFolder) {
  auto tls = make();
  tls->look();
  EXPECT_FALSE(tls->ready());
  EXPECT_EQ(tls->problem(),
            "a self-signed certificate is kept in the state folder, which cannot be used; set "
            "`state` to a folder that this user may write to");
}

TEST_F(ServiceTlsTest, ADamagedFileIsNotReplacedInSilence) {
  const StateFolder state(folder_);
  ASSERT_TRUE(state.prepare());
  ASSERT_TRUE(state.write("self-signed-home.example.com.pem", "half a file"));
  auto tls = make(&state);
  tls->look();
  EXPECT_FALSE(tls->ready());
  EXPECT_NE(tls->problem().find("put back a copy"), std::string::npos) << tls->problem();
}

TEST_F(ServiceTlsTest, NewFilesAreTakenWhileItRuns) {
  from_files();
  const std::string old_pem = self_signed_pem("home.example.com");
  const std::string new_pem = self_signed_pem("home.example.com");
  put(old_pem);
  auto tls = make();
  Pending<void> keeping = world_.start(tls->keep_fresh());
  world_.settle();
  ASSERT_TRUE(tls->ready());
  EXPECT_EQ(tls->certificates()[0].facts().sha256, print_of(old_pem));
  put(new_pem);
  world_.advance(11s);
  EXPECT_EQ(tls->certificates()[0].facts().sha256, print_of(new_pem));
  EXPECT_EQ(changes_, 2);
}

TEST_F(ServiceTlsTest, ABadPairKeepsTheOldOneAndSaysWhy) {
  from_files();
  home_.jump_wall_clock(std::chrono::days(330));
  const std::string good = self_signed_pem("home.example.com");
  put(good);
  auto tls = make();
  tls->look();
  files_["key"] = self_signed_pem("home.example.com");
  tls->look();
  // Perhaps somebody is writing just now.
  EXPECT_EQ(tls->problem(), "");
  tls->look();
  EXPECT_EQ(tls->problem(),
            "chain: the key does not belong to the first certificate of the chain; put the leaf "
            "first, with its own key");
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(tls->certificates()[0].facts().sha256, print_of(good));
  files_.erase("chain");
  tls->look();
  tls->look();
  EXPECT_EQ(tls->problem(), "cannot read chain");
  put(good);
  tls->look();
  EXPECT_EQ(tls->problem(), "");
}

TEST_F(ServiceTlsTest, TellsWhatClientsWouldDislike) {
  from_files();
  put(self_signed_pem("other.example.com", network_.timers().wall_now()));
  auto tls = make();
  tls->look();
  EXPECT_TRUE(tls->ready());
  EXPECT_EQ(tls->problem(), "not for home.example.com; clients of home.example.com will refuse it");
  put(self_signed_pem("home.example.com", network_.timers().wall_now()));
  tls->look();
  EXPECT_EQ(tls->problem(), "");
  home_.jump_wall_clock(std::chrono::days(3640));
  tls->look();
  EXPECT_EQ(tls->problem(), "expires on 2035-12-30 01:00 UTC");
  home_.jump_wall_clock(std::chrono::days(10));
  tls->look();
  EXPECT_EQ(tls->problem(), "expired on 2035-12-30 01:00 UTC");
  home_.jump_wall_clock(std::chrono::days(-4000));
  tls->look();
  EXPECT_EQ(tls->problem(), "not valid before 2025-12-31 01:00 UTC");
}

TEST_F(ServiceTlsTest, WithoutAuthoritiesNobodyIsLetIn) {
  from_files();
  put(self_signed_pem("home.example.com"));
  configuration_.tls_settings.client_ca = "ca";
  auto tls = make();
  tls->look();
  EXPECT_FALSE(tls->ready());
  EXPECT_EQ(tls->problem(), "cannot read ca");
  files_["ca"] = self_signed_pem("authority.example.com");
  tls->look();
  EXPECT_TRUE(tls->ready());
}

TEST_F(ServiceTlsTest, AnAuthoritysCertificateNeedsItsFolder) {
  configuration_.tls_settings.certificate.kind = CertificateSource::Kind::acme;
  auto tls = make();
  tls->look();
  EXPECT_FALSE(tls->ready());
  EXPECT_FALSE(tls->wanted());
  EXPECT_EQ(tls->problem(),
            "a certificate of an authority is kept in the state folder, which cannot be used; set "
            "`state` to a folder that this user may write to");
}

class Handshakes : public ServiceTlsTest {
 protected:
  using Accepted = std::expected<std::unique_ptr<TlsStream>, std::string>;

  Handshakes() {
    from_files();
    put(pem_);
    tls_ = make();
    tls_->look();
    auto pair = MemoryStream::make_pair();
    client_ = std::move(pair.left);
    accepting_.emplace(world_.loop().executor(), tls_->accept(std::move(pair.right)),
                       [this] { world_.settle(); });
  }
  std::string answer() {
    world_.settle();
    if (!accepting_->done()) return "it waits";
    Accepted& accepted = accepting_->result();
    return accepted ? "" : accepted.error();
  }

  const std::string pem_ = self_signed_pem("home.example.com");
  std::unique_ptr<ServiceTls> tls_;
  std::unique_ptr<MemoryStream> client_;
  std::optional<Pending<Accepted>> accepting_;
};

TEST_F(Handshakes, EndWithAStream) {
  TlsStream client(std::move(client_),
                   TlsClient::make({.authorities = pem_})->connect("home.example.com"));
  world_.run(client.handshake());
  EXPECT_EQ(answer(), "");
}

TEST_F(Handshakes, SayWhyThereIsNone) {
  client_->push("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer(), "it waits");  // for the client to have heard of it
  EXPECT_TRUE(client_->at_end());
  client_->push_end();
  EXPECT_EQ(answer(), "http request");
  EXPECT_FALSE(client_->broken());
}

TEST_F(Handshakes, BeginWithPostgresAskingForThem) {
  for (const auto& [request, said] :
       {std::pair(postgres_gss_request, "N"), {postgres_ssl_request, "S"}}) {
    client_->push(sidestream::text_of(Bytes(request).first(3)));
    EXPECT_EQ(answer(), "it waits");
    EXPECT_EQ(client_->take(), "");
    client_->push(sidestream::text_of(Bytes(request).subspan(3)));
    EXPECT_EQ(answer(), "it waits");
    EXPECT_EQ(client_->take(), said);
  }
  TlsStream client(std::move(client_),
                   TlsClient::make({.authorities = pem_})->connect("home.example.com"));
  world_.run(client.handshake());
  EXPECT_EQ(answer(), "");
}

TEST_F(Handshakes, TakeNothingThatCameBeforeTheirBeginning) {
  client_->push(std::string(sidestream::text_of(Bytes(postgres_ssl_request))) + "x");
  EXPECT_EQ(answer(), "bytes came between a request for TLS and its answer");
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
}

TEST_F(Handshakes, HaveATimeLimit) {
  world_.advance(9s);
  EXPECT_EQ(answer(), "it waits");
  world_.advance(2s);
  EXPECT_EQ(answer(), "Connection timed out");
  EXPECT_EQ(client_->broken(), asio::error::connection_reset);
}

TEST_F(Handshakes, SayWhenTheClientHasGone) {
  client_->push_end();
  EXPECT_EQ(answer(), "it ended in the middle of the handshake");
}

}  // namespace
}  // namespace sidestream::sidecar
