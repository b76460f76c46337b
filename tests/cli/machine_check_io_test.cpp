#include "cli/machine_check_io.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "streams/kernel_network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::cli {
namespace {

const IpAddress loopback = *IpAddress::parse("127.0.0.1");

class MachineCheck : public testing::Test {
 protected:
  MachineCheck() {
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    edge_.program.state = folder_ + "/state";
    edge_.program.admin.unix_path = folder_ + "/admin.sock";
    edge_.program.has_admin = true;
    edge_.public_address = loopback;
    edge_.listen = {loopback, 0};
    edge_.public_ports.clear();
    sidecar_.program = edge_.program;
    sidecar_.program.has_state = sidecar_.program.has_admin = true;
  }
  ~MachineCheck() override { std::filesystem::remove_all(folder_); }

  void add_service(std::string_view backend) {
    sidecar::ServiceConfiguration service;
    service.name = "web";
    service.backends = {sidecar::Backend{*sidecar::BackendAddress::parse(backend)}};
    sidecar_.services.push_back(service);
  }

  asio::io_context io_;
  KernelNetwork network_{io_};
  std::string folder_;
  edge::EdgeConfiguration edge_;
  sidecar::SidecarConfiguration sidecar_;
};

using Findings = std::vector<std::string>;

TEST_F(MachineCheck, AMachineThatFitsHasNothingToSay) {
  add_service("127.0.0.1:22");
  EXPECT_EQ(machine_findings(edge_), Findings());
  EXPECT_EQ(machine_findings(sidecar_), Findings());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state")) << "nothing is made";
}

TEST_F(MachineCheck, PortsThatAreTaken) {
  const auto tcp = network_.listen({loopback, 0}, {});
  const auto udp = network_.open_udp({loopback, 0});
  const std::uint16_t port = tcp->local_address().port;
  edge_.public_ports = {{port, port}};
  edge_.listen = udp->local_address();
  const std::string why = ": another program listens there; `ss -tulpn | grep :";
  const Findings findings = machine_findings(edge_);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_TRUE(
      findings[0].starts_with("tunnel.listen: cannot listen on " + edge_.listen.text() + why))
      << findings[0];
  EXPECT_TRUE(findings[1].starts_with(
      "public.ports: cannot listen on 127.0.0.1:" + std::to_string(port) + why))
      << findings[1];
}

TEST_F(MachineCheck, AnAddressThatThisHostDoesNotHave) {
  edge_.public_address = *IpAddress::parse("203.0.113.9");
  edge_.public_ports = {{20'443, 20'443}};
  EXPECT_EQ(machine_findings(edge_),
            Findings{"public.ports: cannot listen on 203.0.113.9:20443: this host does not have "
                     "that address; `ip address` lists those that it has"});
  edge_.public_ports = {{20'443, 20'445}};
  EXPECT_EQ(machine_findings(edge_),
            Findings{"public.ports: cannot listen on 203.0.113.9:20443 and on 2 more of them: this "
                     "host does not have that address; `ip address` lists those that it has"});
}

TEST_F(MachineCheck, FoldersThatCannotBeUsed) {
  std::ofstream(folder_ + "/file") << "x";
  edge_.program.state = folder_ + "/file/state";
  edge_.program.admin.unix_path = folder_ + "/file/admin.sock";
  const Findings findings = machine_findings(edge_);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_TRUE(findings[0].starts_with("state: this user cannot use or make the folder " + folder_))
      << findings[0];
  EXPECT_TRUE(findings[1].starts_with("admin: this user cannot make the socket " + folder_))
      << findings[1];
}

TEST_F(MachineCheck, AStateThatCannotBeRead) {
  const StateFolder state(edge_.program.state);
  ASSERT_TRUE(state.prepare());
  ASSERT_TRUE(state.write("edge.key", "hello"));
  const Findings findings = machine_findings(edge_);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].contains("edge.key does not hold a private key")) << findings[0];
}

TEST_F(MachineCheck, NamesAndSocketsOfASidecar) {
  add_service("nowhere.invalid:80");
  add_service("unix:" + folder_ + "/none.sock");
  sidecar_.docker = *sidecar::EngineAddress::parse("unix:" + folder_ + "/docker.sock");
  const Findings findings = machine_findings(sidecar_, {.lookup_timeout = 1s});
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_TRUE(findings[0].starts_with("services.web.backend: this user cannot use the socket "))
      << findings[0];
  EXPECT_TRUE(findings[1].starts_with("docker.socket: this user cannot use ")) << findings[1];
  EXPECT_TRUE(
      findings[2].starts_with("services.web.backend: nowhere.invalid cannot be resolved here ("))
      << findings[2];
}

}  // namespace
}  // namespace sidestream::cli
