#include "streams/kernel_network_io.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <list>

#include "streams/socket_address_io.h"
#include "streams/unix_socket_io.h"
#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

const IpAddress loopback = IpAddress::v4(0x7f000001);

class KernelNetworkTest : public ::testing::Test {
 protected:
  KernelNetworkTest() {
    std::string pattern = ::testing::TempDir() + "sidestream-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~KernelNetworkTest() override { std::filesystem::remove_all(folder_); }

  template <typename T>
  error_code error_of(Task<T> task) {
    auto pending = loop_.start(std::move(task));
    loop_.finish(pending);
    return pending.error();
  }
  error_code listen_error(const SocketAddress& local) {
    try {
      loop_.network().listen(local, {});
    } catch (const system_error& error) {
      return error.code();
    }
    return {};
  }
  error_code listen_unix_error(const std::string& path) {
    try {
      loop_.network().listen_unix(path, 0600);
    } catch (const system_error& error) {
      return error.code();
    }
    return {};
  }
  // Connects, accepts and says a word each way.
  void expect_works(Listener& listener, Task<std::unique_ptr<Stream>> connecting) {
    auto accepting = loop_.start(listener.accept());
    const auto near = loop_.run(std::move(connecting));
    loop_.finish(accepting);
    const auto& far = accepting.result();
    std::array<std::uint8_t, 16> buffer{};
    loop_.run(near->write_all(bytes_of("ping")));
    EXPECT_EQ(loop_.run(far->read_some(buffer)), 4U);
    loop_.run(far->write_all(bytes_of("pongs")));
    EXPECT_EQ(loop_.run(near->read_some(buffer)), 5U);
  }

  KernelLoop loop_;
  std::string folder_;
};

TEST_F(KernelNetworkTest, RefusedConnectionSaysSo) {
  SocketAddress closed;
  closed = loop_.network().listen({loopback, 0}, {})->local_address();
  EXPECT_EQ(error_of(loop_.network().connect(closed, 5s)), asio::error::connection_refused);
}

TEST_F(KernelNetworkTest, ConnectGivesUpAfterItsTimeout) {
  // A listener whose backlog is full drops what comes.
  const int full = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::listen(full, 0), 0);
  const SocketAddress address{loopback, bound_address(full).port};
  auto first = loop_.start(loop_.network().connect(address, 200ms));
  auto second = loop_.start(loop_.network().connect(address, 200ms));
  auto third = loop_.start(loop_.network().connect(address, 200ms));
  loop_.finish(first);
  loop_.finish(second);
  loop_.finish(third);
  EXPECT_EQ(third.error(), asio::error::timed_out);
  ::close(full);
}

TEST_F(KernelNetworkTest, ListensOnBothFamilies) {
  const auto listener = loop_.network().listen({IpAddress::v6({}), 0}, {});
  const std::uint16_t port = listener->local_address().port;
  expect_works(*listener, loop_.network().connect({loopback, port}, 5s));
  expect_works(*listener, loop_.network().connect({*IpAddress::parse("::1"), port}, 5s));
}

TEST_F(KernelNetworkTest, AcceptedIpv4IsNotShownAsIpv6) {
  const auto listener = loop_.network().listen({IpAddress::v6({}), 0}, {});
  auto accepting = loop_.start(listener->accept());
  const auto near =
      loop_.run(loop_.network().connect({loopback, listener->local_address().port}, 5s));
  loop_.finish(accepting);
  EXPECT_EQ(accepting.result()->remote_address(), near->local_address());
  EXPECT_TRUE(accepting.result()->remote_address().address.is_v4());
}

TEST_F(KernelNetworkTest, TakenPortSaysSo) {
  const auto listener = loop_.network().listen({loopback, 0}, {});
  EXPECT_EQ(listen_error(listener->local_address()), asio::error::address_in_use);
}

TEST_F(KernelNetworkTest, PortsCanBeSharedWhenAskedFor) {
  const auto first = loop_.network().listen({loopback, 0}, {.reuse_port = true});
  const auto second = loop_.network().listen(first->local_address(), {.reuse_port = true});
  EXPECT_EQ(first->local_address(), second->local_address());
}

TEST_F(KernelNetworkTest, ClosedListenerEndsItsAccept) {
  const auto listener = loop_.network().listen({loopback, 0}, {});
  auto accepting = loop_.start(listener->accept());
  loop_.run_for(1ms);
  listener->close();
  loop_.finish(accepting);
  EXPECT_EQ(accepting.error(), asio::error::operation_aborted);
  EXPECT_EQ(error_of(listener->accept()), asio::error::operation_aborted);
}

TEST_F(KernelNetworkTest, CancelledAcceptLeavesTheListenerUsable) {
  const auto listener = loop_.network().listen({loopback, 0}, {});
  auto accepting = loop_.start(listener->accept());
  loop_.run_for(1ms);
  accepting.cancel();
  loop_.finish(accepting);
  EXPECT_EQ(accepting.error(), asio::error::operation_aborted);
  expect_works(*listener, loop_.network().connect(listener->local_address(), 5s));
}

TEST_F(KernelNetworkTest, RunningOutOfDescriptorsIsThrownAndLeavesTheClientWaiting) {
  const auto listener = loop_.network().listen({loopback, 0}, {});
  const auto near = loop_.run(loop_.network().connect(listener->local_address(), 5s));
  // The undefined behaviour sanitizer needs descriptors to look at a type for the first time.
  const auto closed = loop_.network().listen({loopback, 0}, {});
  closed->close();
  EXPECT_EQ(error_of(closed->accept()), asio::error::operation_aborted);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  const error_code code = error_of(listener->accept());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(code, boost::system::errc::too_many_files_open);
  // The one that could not be accepted waits in the backlog.
  EXPECT_NE(loop_.run(listener->accept()), nullptr);
}

TEST_F(KernelNetworkTest, BurstOfConnectionsLetsOthersRunMeanwhile) {
  const auto listener = loop_.network().listen({loopback, 0}, {});
  std::vector<std::unique_ptr<Stream>> near;
  for (int i = 0; i < 40; ++i)
    near.push_back(loop_.run(loop_.network().connect(listener->local_address(), 5s)));
  std::vector<std::unique_ptr<Stream>> far;
  auto accept_all = [](Listener& from, std::vector<std::unique_ptr<Stream>>& into) -> Task<> {
    while (into.size() < 40) into.push_back(co_await from.accept());
  };
  auto accepting = loop_.start(accept_all(*listener, far));
  auto other = loop_.start(yield_now());
  loop_.finish(other);
  EXPECT_LT(far.size(), 40U);
  loop_.finish(accepting);
  EXPECT_EQ(far.size(), 40U);
}

TEST_F(KernelNetworkTest, UnixSocketHasItsModeAndLeavesNoFile) {
  const std::string path = folder_ + "/admin.sock";
  auto listener = loop_.network().listen_unix(path, 0660);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0660U);
  expect_works(*listener, loop_.network().connect_unix(path, 5s));
  EXPECT_EQ(listener->local_address(), SocketAddress());
  listener.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(KernelNetworkTest, StaleSocketIsReplaced) {
  const std::string path = folder_ + "/admin.sock";
  {
    // A process that died leaves the file of its socket.
    const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const KernelAddress address = unix_address(path);
    ASSERT_EQ(::bind(dead, address.get(), address.length), 0);
    ::close(dead);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto listener = loop_.network().listen_unix(path, 0600);
  expect_works(*listener, loop_.network().connect_unix(path, 5s));
}

TEST_F(KernelNetworkTest, ServedSocketAndOtherFilesAreNotReplaced) {
  const std::string path = folder_ + "/admin.sock";
  const auto listener = loop_.network().listen_unix(path, 0600);
  EXPECT_EQ(listen_unix_error(path), asio::error::address_in_use);
  const std::string file = folder_ + "/notes.txt";
  std::ofstream(file) << "precious";
  EXPECT_EQ(listen_unix_error(file), asio::error::address_in_use);
  EXPECT_EQ(std::filesystem::file_size(file), 8U);
}

TEST_F(KernelNetworkTest, ListenerDoesNotRemoveTheSocketOfItsSuccessor) {
  const std::string path = folder_ + "/admin.sock";
  auto first = loop_.network().listen_unix(path, 0600);
  std::filesystem::rename(path, path + ".old");
  const auto second = loop_.network().listen_unix(path, 0600);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(KernelNetworkTest, UnixErrorsSayWhatIsWrong) {
  EXPECT_EQ(error_of(loop_.network().connect_unix(folder_ + "/none", 5s)),
            boost::system::errc::no_such_file_or_directory);
  EXPECT_EQ(listen_unix_error(folder_ + "/" + std::string(120, 'x')),
            boost::system::errc::filename_too_long);
  EXPECT_EQ(listen_unix_error(folder_ + "/none/admin.sock"),
            boost::system::errc::no_such_file_or_directory);
}

TEST_F(KernelNetworkTest, ResolvesLiteralsWithoutAsking) {
  const auto v4 = loop_.run(loop_.network().resolve("192.0.2.7", 443, 1s));
  ASSERT_EQ(v4.size(), 1U);
  EXPECT_EQ(v4[0].text(), "192.0.2.7:443");
  const auto v6 = loop_.run(loop_.network().resolve("2001:db8::7", 443, 1s));
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(v6[0].text(), "[2001:db8::7]:443");
}

TEST_F(KernelNetworkTest, ResolvesLocalhost) {
  const auto found = loop_.run(loop_.network().resolve("localhost", 22, 5s));
  ASSERT_FALSE(found.empty());
  for (const SocketAddress& address : found) {
    EXPECT_TRUE(address.address.is_loopback()) << address.text();
    EXPECT_EQ(address.port, 22);
  }
}

TEST_F(KernelNetworkTest, ImpossibleNamesAreNotFound) {
  EXPECT_EQ(error_of(loop_.network().resolve("", 1, 5s)), asio::error::host_not_found);
  EXPECT_EQ(error_of(loop_.network().resolve(std::string(300, 'x'), 1, 5s)),
            asio::error::host_not_found);
  EXPECT_EQ(error_of(loop_.network().resolve(std::string("localhost\0x", 11), 1, 5s)),
            asio::error::host_not_found);
}

TEST_F(KernelNetworkTest, CancelledLookupLeavesItsThreadBehind) {
  auto looking = loop_.start(loop_.network().resolve("localhost", 1, 5s));
  looking.cancel();
  loop_.finish(looking);
  EXPECT_EQ(looking.error(), asio::error::operation_aborted);
}

TEST_F(KernelNetworkTest, ManyLookupsAtOnceAllGetTheirAnswer) {
  std::list<Pending<std::vector<SocketAddress>>> lookups;
  for (int i = 0; i < 50; ++i)
    lookups.emplace_back(loop_.executor(), loop_.network().resolve("localhost", 1, 9s), [] {});
  for (auto& lookup : lookups) {
    loop_.finish(lookup);
    EXPECT_FALSE(lookup.result().empty());
  }
}

TEST(KernelNetworkEnd, NobodyWaitsForALookupThatIsStillRunning) {
  for (int i = 0; i < 20; ++i) {
    asio::io_context io;
    auto network = std::make_unique<KernelNetwork>(io);
    asio::co_spawn(io, network->resolve("localhost", 1, 5s),
                   [](const std::exception_ptr&, const std::vector<SocketAddress>&) {});
    io.poll();
    network.reset();
    io.restart();
    io.poll();
  }
}

}  // namespace
}  // namespace sidestream
