#include "streams/message_link_io.h"

#include <gtest/gtest.h>

#include "tests/support/kernel_loop_io.h"

namespace sidestream {
namespace {

std::vector<std::uint8_t> message(std::size_t bytes, std::uint8_t fill) {
  return std::vector<std::uint8_t>(bytes, fill);
}

class MessageLinkTest : public testing::Test {
 protected:
  MessageLinkTest() {
    auto [one, other] = open_message_link();
    left.emplace(loop.executor(), std::move(one));
    right.emplace(loop.executor(), std::move(other));
  }
  KernelLoop loop;
  std::optional<KernelMessageLink> left;
  std::optional<KernelMessageLink> right;
};

TEST_F(MessageLinkTest, KeepsMessagesApartAndInOrder) {
  EXPECT_TRUE(right->receive().empty());
  ASSERT_TRUE(left->send(message(3, 1)));
  ASSERT_TRUE(left->send(message(link_message_bytes_max, 2)));
  loop.run(right->wait_readable());
  EXPECT_EQ(text_of(right->receive()), text_of(message(3, 1)));
  EXPECT_EQ(text_of(right->receive()), text_of(message(link_message_bytes_max, 2)));
  EXPECT_TRUE(right->receive().empty());
  EXPECT_FALSE(right->ended());
}

TEST_F(MessageLinkTest, SaysWhenThereIsNoRoomAndWhenThereIsAgain) {
  std::size_t sent = 0;
  while (sent < 10'000 && left->send(message(1400, 7))) ++sent;
  ASSERT_GT(sent, 10U);
  ASSERT_LT(sent, 10'000U);
  std::size_t received = 0;
  while (!right->receive().empty()) ++received;
  EXPECT_EQ(received, sent);
  loop.run(left->wait_writable());
  EXPECT_TRUE(left->send(message(1400, 7)));
}

TEST_F(MessageLinkTest, EndsWithTheOtherEndAfterAllThatItSent) {
  ASSERT_TRUE(left->send(message(5, 9)));
  left->close();
  EXPECT_TRUE(left->ended());
  loop.run(right->wait_readable());
  EXPECT_EQ(right->receive().size(), 5U);
  loop.run(right->wait_readable());
  EXPECT_TRUE(right->receive().empty());
  EXPECT_TRUE(right->ended());
  EXPECT_TRUE(right->send(message(5, 9)));  // dropped
}

}  // namespace
}  // namespace sidestream
