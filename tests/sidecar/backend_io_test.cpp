#include "sidecar/backend_io.h"

#include <gtest/gtest.h>

#include "sidecar/backend_tls_io.h"
#include "streams/task_group_io.h"
#include "streams/tls_stream_io.h"
#include "tests/support/simulated_network_io.h"
#include "tests/support/tls_pair.h"

namespace sidestream::sidecar {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

class BackendTest : public testing::Test {
 protected:
  static BackendAddress address(const std::string& text) { return *BackendAddress::parse(text); }
  // The remote address that answered, or the error.
  std::string dial(const std::string& text, Duration timeout = 10s) {
    auto dialling = world_.start(dial_backend(home_.network(), address(text), timeout));
    EXPECT_TRUE(world_.run_until([&] { return dialling.done(); }, timeout + 1s)) << "no limit";
    if (dialling.error()) return dialling.error().message();
    return dialling.result()->remote_address().text();
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {ip("192.168.1.10"), ip("fd00::10")});
  SimulatedHost& nas_ = world_.add_host("nas", {ip("192.168.1.20"), ip("fd00::20")});
};

TEST_F(BackendTest, NamesAreResolvedAtEachDial) {
  const auto v4 = nas_.network().listen({ip("192.168.1.20"), 80}, {});
  const auto v6 = nas_.network().listen({ip("fd00::20"), 80}, {});
  EXPECT_EQ(dial("nas.test:80"), "Host not found (authoritative)");
  world_.set_name("nas.test", {ip("192.168.1.20")});
  EXPECT_EQ(dial("nas.test:80"), "192.168.1.20:80");
  world_.set_name("nas.test", {ip("fd00::20")});
  EXPECT_EQ(dial("nas.test:80"), "[fd00::20]:80");
}

TEST_F(BackendTest, EveryAddressOfANameIsTried) {
  const auto v4 = nas_.network().listen({ip("192.168.1.20"), 80}, {});
  world_.set_name("nas.test", {ip("fd00::20"), ip("192.168.1.20")});
  EXPECT_EQ(dial("nas.test:80"), "192.168.1.20:80");
  // One that swallows everything does not use up the time of the next.
  world_.set_name("nas.test", {ip("192.168.1.99"), ip("192.168.1.20")});
  EXPECT_EQ(dial("nas.test:80"), "192.168.1.20:80");
}

TEST_F(BackendTest, ABackendThatSwallowsEverythingIsGivenUp) {
  SimulatedHost& dead = world_.add_host("dead", {ip("192.168.1.30")});
  dead.set_link(false);
  EXPECT_EQ(dial("192.168.1.30:80"), "Connection timed out");
  home_.set_resolver(false);
  EXPECT_EQ(dial("nas.test:80"), "Connection timed out");
}

TEST_F(BackendTest, UnixSocketsAreBackendsToo) {
  const auto listener = home_.network().listen_unix("/run/app.sock", 0600);
  auto dialling = world_.start(dial_backend(home_.network(), address("unix:/run/app.sock"), 10s));
  ASSERT_TRUE(world_.run_until([&] { return dialling.done(); }, 11s));
  EXPECT_FALSE(dialling.error());
}

TEST_F(BackendTest, AProbeSaysWhatIsWrong) {
  const auto probe = [&](HealthKind kind) {
    auto probing =
        world_.start(probe_backend(home_.network(), kind, address("192.168.1.20:22"), "", 3s));
    EXPECT_TRUE(world_.run_until([&] { return probing.done(); }, 4s));
    return probing.result() ? std::string("well") : probing.result().error();
  };
  EXPECT_EQ(probe(HealthKind::tcp), "Connection refused");
  const auto listener = nas_.network().listen({ip("192.168.1.20"), 22}, {});
  EXPECT_EQ(probe(HealthKind::tcp), "well");
  EXPECT_EQ(probe(HealthKind::ssh), "Connection timed out") << "it says nothing";
}

// A backend that speaks TLS, after `first_bytes_` bytes of something else.
class TlsBackendTest : public BackendTest {
 protected:
  TlsBackendTest() {
    std::vector<TlsCertificate> certificates;
    certificates.push_back(certificate_of(pem_));
    server_.set_certificates(std::move(certificates));
    world_.set_name("nas.test", {ip("192.168.1.20")});
    group_.spawn(accept_all(), [](const std::exception_ptr&) {});
  }
  ~TlsBackendTest() override {
    listener_->close();
    world_.run(group_.stop());
  }
  Task<> accept_all() {
    for (;;) group_.spawn(answer(co_await listener_->accept()), [](const std::exception_ptr&) {});
  }
  Task<> answer(std::unique_ptr<Stream> transport) {
    heard_.assign(first_bytes_, 0);
    std::size_t count = 0;
    while (count < heard_.size())
      count += co_await transport->read_some(MutableBytes(heard_).subspan(count));
    TlsStream stream(std::move(transport), server_.accept());
    co_await stream.handshake();
    const std::string text = "hello";
    co_await stream.write_all(bytes_of(text));
    co_await stream.close_write();
  }

  // What the backend says, or why it is not heard.
  std::string hear(const std::string& backend, BackendOpening opening) {
    auto hearing = world_.start(listen_to(address(backend), opening));
    EXPECT_TRUE(world_.run_until([&] { return hearing.done(); }, 11s));
    if (hearing.error()) return opening.problem;
    return hearing.result();
  }
  Task<std::string> listen_to(BackendAddress where, BackendOpening& opening) {
    const auto stream = co_await dial_backend(home_.network(), std::move(where), 10s, &opening);
    std::array<std::uint8_t, 100> buffer{};
    const std::size_t count = co_await stream->read_some(buffer);
    co_return std::string(sidestream::text_of(Bytes(buffer).first(count)));
  }

  const std::string pem_ = self_signed_pem("nas.test");
  std::size_t first_bytes_ = 0;
  std::vector<std::uint8_t> heard_;
  TlsTicketKeys keys_{world_.random()};
  TlsServer server_{{}, keys_};
  std::unique_ptr<Listener> listener_ = nas_.network().listen({ip("192.168.1.20"), 443}, {});
  TaskGroup group_{world_.loop().executor()};
  BackendTlsSettings settings_{.server_name = "", .ca = "ca.pem"};
  std::expected<std::string, std::string> authorities_ = pem_;
  BackendTls::ReadFile read_ = [this](const std::string&) { return authorities_; };
};

TEST_F(TlsBackendTest, ShowsACertificateForItsHostOrTheNameThatIsWritten) {
  EXPECT_EQ(hear("tls://nas.test:443", BackendTls(settings_, read_).opening()), "hello");
  EXPECT_EQ(hear("tls://192.168.1.20:443", BackendTls(settings_, read_).opening()),
            "certificate refused: IP address mismatch");
  settings_.server_name = "nas.test";
  EXPECT_EQ(hear("tls://192.168.1.20:443", BackendTls(settings_, read_).opening()), "hello");
  settings_.server_name = "other.test";
  EXPECT_EQ(hear("tls://nas.test:443", BackendTls(settings_, read_).opening()),
            "certificate refused: hostname mismatch");
}

TEST_F(TlsBackendTest, IsTrustedWhenItsAuthorityIs) {
  authorities_ = self_signed_pem("nas.test");  // another one of the same name
  BackendTls tls(settings_, read_);
  EXPECT_EQ(hear("tls://nas.test:443", tls.opening()),
            "certificate refused: self-signed certificate");
  authorities_ = pem_;
  tls.look();
  EXPECT_EQ(hear("tls://nas.test:443", tls.opening()), "hello");
  authorities_ = std::unexpected("cannot read ca.pem");
  tls.look();
  EXPECT_EQ(hear("tls://nas.test:443", tls.opening()), "hello") << "the old ones are still good";
  EXPECT_EQ(hear("tls://nas.test:443", BackendTls(settings_, read_).opening()),
            "cannot read ca.pem");
}

TEST_F(TlsBackendTest, HearsThePreambleBeforeTls) {
  first_bytes_ = 3;
  BackendTls tls(settings_, read_);
  BackendOpening opening = tls.opening();
  opening.first_bytes = {1, 2, 3};
  EXPECT_EQ(hear("tls://nas.test:443", opening), "hello");
  EXPECT_EQ(heard_, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(TlsBackendTest, ThatSaysNothingIsGivenUpInTime) {
  first_bytes_ = 1000;
  EXPECT_EQ(hear("tls://nas.test:443", BackendTls(settings_, read_).opening()), "");
}

TEST_F(TlsBackendTest, IsProbedWithItsCertificate) {
  const auto probe = [&](BackendOpening opening) {
    auto probing = world_.start(probe_backend(home_.network(), HealthKind::tcp,
                                              address("tls://nas.test:443"), "", 3s, &opening));
    EXPECT_TRUE(world_.run_until([&] { return probing.done(); }, 4s));
    return probing.result() ? std::string("well") : probing.result().error();
  };
  EXPECT_EQ(probe(BackendTls(settings_, read_).opening()), "well");
  settings_.server_name = "other.test";
  EXPECT_EQ(probe(BackendTls(settings_, read_).opening()),
            "TLS: certificate refused: hostname mismatch");
}

}  // namespace
}  // namespace sidestream::sidecar
