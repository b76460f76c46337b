#include "streams/datagram_socket_io.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

const IpAddress loopback = IpAddress::v4(0x7f000001);
const IpAddress other_loopback = IpAddress::v4(0x7f000002);

struct Received {
  SocketAddress remote;
  std::uint8_t traffic_class;
  std::vector<std::string> datagrams;
  std::size_t batches = 0;
};

// Receives until so many datagrams are there.
Task<Received> receive(DatagramSocket& socket, std::size_t count) {
  Received received{};
  while (received.datagrams.size() < count) {
    co_await socket.wait_readable();
    for (const DatagramSocket::Batch& batch : socket.receive()) {
      received.remote = batch.remote;
      received.traffic_class = batch.traffic_class;
      ++received.batches;
      for (MutableBytes rest = batch.bytes; !rest.empty();) {
        const std::size_t size = std::min(rest.size(), batch.segment_bytes);
        received.datagrams.emplace_back(text_of(rest.first(size)));
        rest = rest.subspan(size);
      }
    }
  }
  co_return received;
}

struct DatagramBatch {
  // `count` datagrams of this size, the last one maybe shorter, each with its number in it.
  DatagramBatch(const SocketAddress& to, std::size_t count, std::size_t size, std::size_t last)
      : bytes((count - 1) * size + last) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(i / size + i * 3);
    batch = {.remote = to, .bytes = bytes, .segment_bytes = size, .traffic_class = 0};
  }
  [[nodiscard]] std::vector<std::string> datagrams() const {
    std::vector<std::string> result;
    for (Bytes rest = bytes; !rest.empty();) {
      const std::size_t piece = std::min(rest.size(), batch.segment_bytes);
      result.emplace_back(text_of(rest.first(piece)));
      rest = rest.subspan(piece);
    }
    return result;
  }
  std::vector<std::uint8_t> bytes;
  DatagramSocket::Batch batch;
};

struct Case {
  const char* name;
  DatagramOffload offload;
  const char* sender;
  const char* receiver;
};

class DatagramSockets : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    near_ = open_datagram_socket(loop_.executor(), {*IpAddress::parse(GetParam().sender), 0}, {},
                                 GetParam().offload);
    far_ = open_datagram_socket(loop_.executor(), {*IpAddress::parse(GetParam().receiver), 0}, {},
                                GetParam().offload);
    const std::string_view sender = GetParam().sender;
    const std::string_view receiver = GetParam().receiver;
    const bool v6 = sender == "::1" || receiver == "::1";
    target_ = {v6 ? *IpAddress::parse("::1") : loopback, far_->local_address().port};
  }
  void expect_arrives(const DatagramBatch& sent) {
    auto receiving = loop_.start(receive(*far_, sent.datagrams().size()));
    ASSERT_TRUE(near_->send(sent.batch));
    loop_.finish(receiving);
    EXPECT_EQ(receiving.result().datagrams, sent.datagrams());
    EXPECT_EQ(receiving.result().remote.port, near_->local_address().port);
    EXPECT_EQ(receiving.result().remote.address, target_.address);
  }

  KernelLoop loop_;
  std::unique_ptr<DatagramSocket> near_, far_;
  SocketAddress target_;
};

TEST_P(DatagramSockets, OneDatagram) {
  expect_arrives(DatagramBatch(target_, 1, 100, 100));
  EXPECT_EQ(near_->counters().sent, 1U);
  EXPECT_EQ(far_->counters().received, 1U);
}

TEST_P(DatagramSockets, BatchWithAShortTail) {
  expect_arrives(DatagramBatch(target_, 10, 1452, 7));
  EXPECT_EQ(near_->counters().sent, 10U);
  EXPECT_EQ(far_->counters().received, 10U);
}

TEST_P(DatagramSockets, BatchThatOneSystemCallCannotTake) {
  expect_arrives(DatagramBatch(target_, 90, 1200, 1200));
  EXPECT_EQ(near_->counters().sent, 90U);
  EXPECT_EQ(near_->counters().sent_dropped, 0U);
}

TEST_P(DatagramSockets, LargestBatchOfSmallDatagrams) {
  expect_arrives(DatagramBatch(target_, 64, 32, 1));
}

TEST_P(DatagramSockets, AnswersReachTheSender) {
  auto receiving = loop_.start(receive(*far_, 1));
  const DatagramBatch question(target_, 1, 5, 5);
  ASSERT_TRUE(near_->send(question.batch));
  loop_.finish(receiving);
  const DatagramBatch answer(receiving.result().remote, 3, 900, 900);
  auto receiving_answer = loop_.start(receive(*near_, 3));
  ASSERT_TRUE(far_->send(answer.batch));
  loop_.finish(receiving_answer);
  EXPECT_EQ(receiving_answer.result().datagrams, answer.datagrams());
  EXPECT_EQ(receiving_answer.result().remote, target_);
}

TEST_P(DatagramSockets, TrafficClassTravelsBothWays) {
  DatagramBatch batch(target_, 4, 500, 500);
  batch.batch.traffic_class = 0x88 | 0x02;
  auto receiving = loop_.start(receive(*far_, 4));
  ASSERT_TRUE(near_->send(batch.batch));
  loop_.finish(receiving);
  EXPECT_EQ(receiving.result().traffic_class, 0x8a);
}

TEST_P(DatagramSockets, NothingThereIsEmpty) {
  EXPECT_TRUE(far_->receive().empty());
}

TEST_P(DatagramSockets, IcmpErrorsOfEarlierSendsAreSwallowed) {
  const SocketAddress nobody{target_.address, static_cast<std::uint16_t>(1)};
  const DatagramBatch lost(nobody, 2, 10, 10);
  EXPECT_TRUE(near_->send(lost.batch));
  loop_.run_for(10ms);
  EXPECT_TRUE(near_->receive().empty());
  expect_arrives(DatagramBatch(target_, 1, 10, 10));
}

TEST_P(DatagramSockets, CloseEndsTheWait) {
  auto waiting = loop_.start(far_->wait_readable());
  loop_.run_for(1ms);
  far_->close();
  loop_.finish(waiting);
  EXPECT_EQ(waiting.error(), asio::error::operation_aborted);
  EXPECT_TRUE(far_->receive().empty());
}

TEST_P(DatagramSockets, WhatTheReceiverHasNoRoomForIsCounted) {
  const DatagramBatch batch(target_, 44, 1452, 1452);
  for (int i = 0; i < 2000; ++i) {
    while (!near_->send(batch.batch)) loop_.run(near_->wait_writable());
  }
  auto receiving = loop_.start(receive(*far_, 44));
  loop_.finish(receiving);
  loop_.run_for(50ms);
  while (!far_->receive().empty()) {
  }
  ASSERT_TRUE(near_->send(batch.batch));
  loop_.run(receive(*far_, 1));
  const auto counters = far_->counters();
  EXPECT_GT(counters.received_dropped, 0U);
  EXPECT_GT(counters.receive_buffer_bytes, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Families, DatagramSockets,
    ::testing::Values(
        Case{"V4", {}, "127.0.0.1", "127.0.0.1"}, Case{"V4AnyLocal", {}, "0.0.0.0", "0.0.0.0"},
        Case{"V6", {}, "::1", "::1"}, Case{"DualStack", {}, "::", "::"},
        Case{"V4ToDualStack", {}, "127.0.0.1", "::"}, Case{"DualStackToV6", {}, "::", "::1"},
        Case{"NoOffload", {.segment_sends = false, .coalesce_receives = false}, "::", "127.0.0.1"},
        Case{"SegmentOnly", {.coalesce_receives = false}, "::", "::1"},
        Case{"CoalesceOnly", {.segment_sends = false}, "::1", "::"}),
    [](const auto& test) { return std::string(test.param.name); });

class DatagramSource : public ::testing::Test {
 protected:
  KernelLoop loop_;
};

TEST_F(DatagramSource, AnswersComeFromTheAddressThatWasReached) {
  for (const char* any : {"0.0.0.0", "::"}) {
    const auto server = open_datagram_socket(loop_.executor(), {*IpAddress::parse(any), 0});
    const auto client = open_datagram_socket(loop_.executor(), {loopback, 0});
    const SocketAddress target{other_loopback, server->local_address().port};
    const DatagramBatch question(target, 1, 5, 5);
    auto receiving = loop_.start(receive(*server, 1));
    ASSERT_TRUE(client->send(question.batch));
    loop_.finish(receiving);
    const DatagramBatch answer(receiving.result().remote, 2, 5, 5);
    auto receiving_answer = loop_.start(receive(*client, 2));
    ASSERT_TRUE(server->send(answer.batch));
    loop_.finish(receiving_answer);
    EXPECT_EQ(receiving_answer.result().remote, target);

    server->forget_local_address(receiving.result().remote);
    auto receiving_again = loop_.start(receive(*client, 2));
    ASSERT_TRUE(server->send(answer.batch));
    loop_.finish(receiving_again);
    EXPECT_EQ(receiving_again.result().remote.address, loopback);
  }
}

TEST_F(DatagramSource, ANewSocketCallsFromWhereTheOldOneWasReached) {
  for (const char* any : {"0.0.0.0", "::"}) {
    const auto client = open_datagram_socket(loop_.executor(), {loopback, 0});
    auto server = open_datagram_socket(loop_.executor(), {*IpAddress::parse(any), 0});
    const DatagramBatch question({other_loopback, server->local_address().port}, 1, 5, 5);
    auto receiving = loop_.start(receive(*server, 1));
    ASSERT_TRUE(client->send(question.batch));
    loop_.finish(receiving);
    const SocketAddress remote = receiving.result().remote;
    const auto local = server->local_address_for(remote);
    ASSERT_TRUE(local);
    EXPECT_EQ(local->unmapped(), other_loopback);
    server = open_datagram_socket(loop_.executor(), {*IpAddress::parse(any), 0});
    EXPECT_FALSE(server->local_address_for(remote));
    server->set_local_address_for(remote, *local);
    const DatagramBatch call(remote, 2, 5, 5);
    auto called = loop_.start(receive(*client, 2));
    ASSERT_TRUE(server->send(call.batch));
    loop_.finish(called);
    EXPECT_EQ(called.result().remote.address, other_loopback);
  }
}

TEST_F(DatagramSource, OnlySoManyBytesFitIntoASmallBuffer) {
  // Many single datagrams: either all of a batch or nothing is taken.
  const auto near = open_datagram_socket(loop_.executor(), {loopback, 0},
                                         {.receive_buffer_bytes = 1 << 20, .send_buffer_bytes = 1},
                                         {.segment_sends = false, .coalesce_receives = false});
  const auto far = open_datagram_socket(loop_.executor(), {loopback, 0});
  const DatagramBatch batch({loopback, far->local_address().port}, 3, 200, 200);
  auto receiving = loop_.start(receive(*far, 3));
  ASSERT_TRUE(near->send(batch.batch));
  loop_.finish(receiving);
  EXPECT_EQ(receiving.result().datagrams, batch.datagrams());
}

// A network of its own, with a loopback device that can be changed. Runs in a child process.
class OwnNetwork {
 public:
  static bool enter() {
    return (::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
           set_up("lo");
  }
  static bool set_up(const char* device) {
    ifreq request = request_for(device);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return control(SIOCSIFFLAGS, request);
  }
  static bool set_mtu(int bytes) {
    ifreq request = request_for("lo");
    request.ifr_mtu = bytes;
    return control(SIOCSIFMTU, request);
  }
  static bool add_address(const char* alias, const IpAddress& address) {
    ifreq request = request_for(alias);
    const KernelAddress kernel = to_kernel({address, 0}, AF_INET);
    std::memcpy(&request.ifr_addr, kernel.get(), sizeof request.ifr_addr);
    return control(SIOCSIFADDR, request);
  }
  static bool remove_address(const char* alias) {
    ifreq request = request_for(alias);
    return control(SIOCSIFFLAGS, request);
  }

 private:
  static ifreq request_for(const char* device) {
    ifreq request{};
    std::strncpy(request.ifr_name, device, sizeof request.ifr_name - 1);
    return request;
  }
  static bool control(unsigned long command, ifreq& request) {
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::ioctl(fd.get(), command, &request) == 0;
  }
};

constexpr int cannot_test_here = 77;

// Datagrams larger than the MTU cannot be segmented by the kernel; sent alone they are fragmented.
int send_batch_over_small_mtu() {
  if (!OwnNetwork::enter() || !OwnNetwork::set_mtu(1000)) return cannot_test_here;
  KernelLoop loop;
  for (const char* any : {"127.0.0.1", "::"}) {
    const auto near = open_datagram_socket(loop.executor(), {*IpAddress::parse(any), 0});
    const auto far = open_datagram_socket(loop.executor(), {loopback, 0});
    for (int round = 0; round < 2; ++round) {
      const DatagramBatch batch({loopback, far->local_address().port}, 5, 1452, 1000);
      auto receiving = loop.start(receive(*far, 5));
      if (!near->send(batch.batch)) return 1;
      loop.finish(receiving);
      if (receiving.result().datagrams != batch.datagrams()) return 2;
    }
    if (near->counters().sent_dropped != 0) return 3;
  }
  return 0;
}

// The local address that a peer used to reach goes away: the next send uses another one at once.
int send_after_address_moved() {
  const IpAddress moving = *IpAddress::parse("198.18.0.1");
  if (!OwnNetwork::enter() || !OwnNetwork::add_address("lo:1", moving)) return cannot_test_here;
  KernelLoop loop;
  for (const char* any : {"0.0.0.0", "::"}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{4}}) {
      if (!OwnNetwork::add_address("lo:1", moving)) return cannot_test_here;
      const auto server = open_datagram_socket(loop.executor(), {*IpAddress::parse(any), 0});
      const auto client = open_datagram_socket(loop.executor(), {loopback, 0});
      const DatagramBatch question({moving, server->local_address().port}, 1, 5, 5);
      auto receiving = loop.start(receive(*server, 1));
      if (!client->send(question.batch)) return 1;
      loop.finish(receiving);
      if (!OwnNetwork::remove_address("lo:1")) return 2;
      const DatagramBatch answer(receiving.result().remote, count, 50, 50);
      auto receiving_answer = loop.start(receive(*client, count));
      if (!server->send(answer.batch)) return 3;
      loop.finish(receiving_answer);
      if (receiving_answer.result().remote.address != loopback) return 4;
      if (server->counters().sent_dropped != 0) return 5;
    }
  }
  return 0;
}

void expect_in_child(int (*scenario)()) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int code = 99;
    try {
      code = scenario();
    } catch (...) {
      code = 98;
    }
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == cannot_test_here) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(DatagramFallback, BatchOfDatagramsLargerThanTheMtu) {
  expect_in_child(send_batch_over_small_mtu);
}

TEST(DatagramFallback, SourceAddressThatIsGone) {
  expect_in_child(send_after_address_moved);
}

}  // namespace
}  // namespace sidestream
