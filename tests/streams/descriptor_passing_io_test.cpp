#include "streams/descriptor_passing_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

class FrameChannelTest : public testing::Test {
 protected:
  FrameChannelTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    left.emplace(loop.executor(), UniqueFd(ends[0]));
    right.emplace(loop.executor(), UniqueFd(ends[1]));
  }
  FrameChannel::Frame pass(std::uint8_t kind, std::string body, std::vector<int> descriptors = {}) {
    auto receiving = loop.start(right->receive());
    loop.run(left->send(kind, body, descriptors));
    loop.finish(receiving);
    return std::move(receiving.result());
  }
  error_code failure_of_receive() {
    auto receiving = loop.start(right->receive());
    loop.finish(receiving);
    return receiving.error();
  }

  KernelLoop loop;
  std::optional<FrameChannel> left;
  std::optional<FrameChannel> right;
};

TEST_F(FrameChannelTest, CarriesKindsAndBodies) {
  const auto empty = pass(7, "");
  EXPECT_EQ(empty.kind, 7);
  EXPECT_EQ(empty.body, "");
  const std::string large(3'000'000, 'x');  // more than the socket has room for
  const auto frame = pass(8, large);
  EXPECT_EQ(frame.kind, 8);
  EXPECT_EQ(frame.body, large);
  EXPECT_TRUE(frame.descriptors.empty());
}

TEST_F(FrameChannelTest, CarriesDescriptorsThatWorkAndAreClosedOnExec) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const auto frame = pass(1, "two of them", {writing.get(), writing.get()});
  ASSERT_EQ(frame.descriptors.size(), 2U);
  writing = UniqueFd();
  EXPECT_EQ(::fcntl(frame.descriptors[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::write(frame.descriptors[1].get(), "!", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 1);
  EXPECT_EQ(byte, '!');
}

TEST_F(FrameChannelTest, CarriesAsManyDescriptorsAsOneFrameMay) {
  const std::vector<int> many(FrameChannel::descriptors_max, 2);
  EXPECT_EQ(pass(1, "many", many).descriptors.size(), many.size());
  const std::vector<int> too_many(many.size() + 1, 2);
  auto sending = loop.start(left->send(1, "", too_many));
  loop.finish(sending);
  EXPECT_EQ(sending.error(), make_error_code(boost::system::errc::bad_message));
}

TEST_F(FrameChannelTest, SaysWhoIsAtTheOtherEnd) {
  EXPECT_EQ(left->other_end().process, static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(left->other_end().user, ::getuid());
}

TEST_F(FrameChannelTest, TheEndOfTheOtherOneIsTold) {
  left->close();
  EXPECT_EQ(failure_of_receive(), asio::error::eof);
  auto sending = loop.start(right->send(1, "x"));
  loop.finish(sending);
  EXPECT_EQ(sending.error(), asio::error::eof);
}

TEST_F(FrameChannelTest, DescriptorsThatWereNotSentAreMissed) {
  int raw[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, raw), 0);
  const UniqueFd writer(raw[0]);
  right.emplace(loop.executor(), UniqueFd(raw[1]));
  const std::uint8_t claims_one[] = {1, 1, 0, 0, 0, 0};
  ASSERT_EQ(::send(writer.get(), claims_one, sizeof claims_one, 0), 6);
  EXPECT_EQ(failure_of_receive(), make_error_code(boost::system::errc::bad_message));
}

}  // namespace
}  // namespace sidestream
