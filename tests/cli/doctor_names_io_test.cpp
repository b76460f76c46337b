#include "cli/doctor_names_io.h"

#include <gtest/gtest.h>

#include <map>

#include "streams/task_group_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream::cli {
namespace {

// A name server that knows addresses and CAA records, and whether to cut its answers short in UDP.
class FakeNames {
 public:
  FakeNames(World& world, SimulatedHost& host)
      : world_(world),
        udp_(host.network().open_udp(address)),
        tcp_(host.network().listen(address, {})),
        group_(world.loop().executor()) {
    group_.spawn(serve_udp(), [](const std::exception_ptr&) {});
    group_.spawn(serve_tcp(), [](const std::exception_ptr&) {});
  }
  ~FakeNames() {
    udp_->close();
    tcp_->close();
    world_.run(group_.stop());
  }
  static const SocketAddress address;
  std::map<std::string, std::string> addresses;  // IPv4, by name
  std::map<std::string, std::string> caa;        // issue, by name
  bool truncates = false;
  bool answers = true;
  unsigned code = 0;

 private:
  // The question's name, and where it ends.
  static std::pair<std::string, std::size_t> name_of(Bytes query) {
    std::string name;
    std::size_t at = 12;
    while (query[at] != 0) {
      name += (name.empty() ? "" : ".") + std::string(text_of(query.subspan(at + 1, query[at])));
      at += 1U + query[at];
    }
    return {name, at + 5};
  }
  std::vector<std::uint8_t> answer(Bytes query, bool may_truncate) {
    const auto [name, end] = name_of(query);
    std::vector<std::uint8_t> bytes(query.begin(), query.begin() + static_cast<long>(end));
    const unsigned type = query[end - 4] * 256U + query[end - 3];
    std::string content;
    if (type == 257 && caa.contains(name)) content = std::string("\0\5issue", 7) + caa[name];
    if (type == 1 && addresses.contains(name))
      content = text_of(IpAddress::parse(addresses[name])->bytes());
    const bool cut = truncates && may_truncate;
    bytes[2] = cut ? 0x83 : 0x81;
    bytes[3] = static_cast<std::uint8_t>(code);
    bytes[7] = content.empty() || cut ? 0 : 1;
    bytes[11] = 0;
    if (content.empty() || cut) return bytes;
    for (const unsigned byte : {0xc0U, 12U, type >> 8U, type & 0xffU, 0U, 1U, 0U, 0U, 0U, 60U, 0U,
                                static_cast<unsigned>(content.size())})
      bytes.push_back(static_cast<std::uint8_t>(byte));
    bytes.insert(bytes.end(), content.begin(), content.end());
    return bytes;
  }
  Task<> serve_udp() {
    for (;;) {
      co_await udp_->wait_readable();
      for (const auto& batch : udp_->receive()) {
        if (!answers) continue;
        auto bytes = answer(batch.bytes, true);
        udp_->send({.remote = batch.remote, .bytes = bytes, .segment_bytes = bytes.size()});
      }
    }
  }
  Task<> serve_tcp() {
    for (;;) {
      const auto stream = co_await tcp_->accept();
      std::vector<std::uint8_t> query(600);
      query.resize(co_await stream->read_some(query));
      auto bytes = answer(Bytes(query).subspan(2), false);
      bytes.insert(bytes.begin(), {static_cast<std::uint8_t>(bytes.size() >> 8U),
                                   static_cast<std::uint8_t>(bytes.size() & 0xffU)});
      co_await stream->write_all(bytes);
      co_await stream->close_write();
    }
  }

  World& world_;
  std::unique_ptr<DatagramSocket> udp_;
  std::unique_ptr<Listener> tcp_;
  TaskGroup group_;
};
const SocketAddress FakeNames::address{*IpAddress::parse("192.0.2.53"), 53};

class NameDoctorTest : public ::testing::Test {
 protected:
  NameDoctorTest() {
    sidecar::ServiceConfiguration service;
    service.name = "notes";
    service.publish = {*control::Endpoint::parse("notes.example.com"),
                       *control::Endpoint::parse(":50002")};
    service.tls = sidecar::TlsMode::terminate;
    configuration_.services.push_back(service);
    configuration_.edges.emplace_back();
    configuration_.edges[0].endpoints = {{"vps.example.com", 51820}};
    names_.addresses = {{"vps.example.com", "203.0.113.1"}, {"notes.example.com", "203.0.113.1"}};
  }
  std::vector<std::string> examine() {
    DnsClient client(home_.network(), {FakeNames::address});
    NameDoctor doctor(client, wish_);
    auto examining = world_.start(doctor.examine(configuration_));
    EXPECT_TRUE(world_.run_until([&] { return examining.done(); }, 1min));
    std::vector<std::string> texts;
    for (const Finding& one : examining.result()) {
      const std::array<std::string, 3> words{"good", "warning", "problem"};
      texts.push_back(words.at(std::to_underlying(one.kind)) + ": " + one.text);
    }
    return texts;
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.0.2.2")});
  SimulatedHost& far_ = world_.add_host("names", {FakeNames::address.address});
  FakeNames names_{world_, far_};
  sidecar::SidecarConfiguration configuration_;
  CaaWish wish_{.name = "", .issuers = {"ca.test"}, .account = "https://ca.test/acct/1"};
};

TEST_F(NameDoctorTest, AdvisesTheRecordThatIsMissing) {
  EXPECT_EQ(examine(),
            (std::vector<std::string>{
                "good: notes.example.com leads to the edge, 203.0.113.1",
                "warning: notes.example.com has no CAA record, so whoever holds the edge could get "
                "certificates for it; write into its zone: notes.example.com. CAA 0 issue "
                "\"ca.test;validationmethods=tls-alpn-01;accounturi=https://ca.test/acct/1\""}));
}

TEST_F(NameDoctorTest, FindsTheRecordAtAParentInALongAnswer) {
  names_.truncates = true;
  names_.caa["example.com"] = "ca.test;accounturi=https://ca.test/acct/1";
  names_.caa["com"] = "nobody.test";
  EXPECT_EQ(examine()[1],
            "good: notes.example.com has a CAA record that allows certificates for our account "
            "only");
  names_.caa["notes.example.com"] = "other.test";
  EXPECT_TRUE(examine()[1].starts_with(
      "problem: notes.example.com has a CAA record that allows no certificates of this authority"));
}

TEST_F(NameDoctorTest, SaysWhereANameLeads) {
  names_.addresses["notes.example.com"] = "198.51.100.7";
  EXPECT_EQ(examine()[0],
            "warning: notes.example.com leads to 198.51.100.7, and sidecars dial the edge at "
            "203.0.113.1; is that the same host?");
  names_.addresses.erase("notes.example.com");
  EXPECT_EQ(examine()[0],
            "problem: notes.example.com has no address in DNS; let it lead to the edge, "
            "203.0.113.1");
}

TEST_F(NameDoctorTest, SaysWhenNamesCannotBeAsked) {
  names_.code = 5;
  EXPECT_EQ(examine()[1],
            "problem: notes.example.com: whether there is a CAA record cannot be found out, and an "
            "authority gives nothing then: its name servers answer with an error (5)");
  names_.answers = false;
  EXPECT_EQ(examine()[0],
            "problem: notes.example.com: the name server 192.0.2.53:53 does not answer "
            "(Connection timed out)");
}

}  // namespace
}  // namespace sidestream::cli
