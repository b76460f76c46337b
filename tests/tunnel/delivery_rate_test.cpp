#include "tunnel/delivery_rate.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

constexpr std::size_t mss = 1000;

class DeliveryRateTest : public testing::Test {
 protected:
  struct Sent {
    DeliveryMark mark;
    Instant at;
  };
  Sent send(Duration at) { return {rate.on_sent(start + at, in_flight++ == 0), start + at}; }
  void deliver(Duration at, const Sent& sent) {
    --in_flight;
    rate.on_delivered(start + at, sent.mark, sent.at, mss);
  }

  const Instant start{1s};
  DeliveryRate rate;
  int in_flight = 0;
};

TEST_F(DeliveryRateTest, MeasuresASteadyStream) {
  std::vector<Sent> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(send(10ms * i));  // 100 kB/s
  for (int i = 0; i < 10; ++i) {
    deliver(200ms + 10ms * i, sent[static_cast<std::size_t>(i)]);
    sent.push_back(send(200ms + 10ms * i));
    static_cast<void>(rate.take_sample(200ms));
  }
  for (int i = 10; i < 20; ++i) deliver(200ms + 10ms * i, sent[static_cast<std::size_t>(i)]);
  deliver(400ms, sent[20]);
  EXPECT_EQ(rate.delivered(), 21 * mss);
  const RateSample sample = rate.take_sample(200ms);
  EXPECT_EQ(sample.bytes_per_second, 100'000U);
  EXPECT_EQ(sample.prior_delivered, mss);
  EXPECT_FALSE(sample.application_limited);
}

TEST_F(DeliveryRateTest, ABunchOfAcknowledgmentsIsNoFastPath) {
  std::vector<Sent> sent;
  for (int i = 0; i < 10; ++i) sent.push_back(send(100ms * i));
  for (const Sent& each : sent) deliver(1s, each);  // all at once
  EXPECT_EQ(rate.take_sample(100ms).bytes_per_second, 10'000U);
}

TEST_F(DeliveryRateTest, ABurstIsNoFastPathEither) {
  std::vector<Sent> sent;
  for (int i = 0; i < 10; ++i) sent.push_back(send(0ms));
  for (int i = 0; i < 10; ++i) deliver(100ms + 10ms * i, sent[static_cast<std::size_t>(i)]);
  EXPECT_EQ(rate.take_sample(100ms).bytes_per_second, 10 * mss * 1000 / 190);
}

TEST_F(DeliveryRateTest, LessThanARoundTripMeasuresNothing) {
  const Sent one = send(0ms);
  deliver(50ms, one);
  EXPECT_EQ(rate.take_sample(100ms).bytes_per_second, 0U);
  EXPECT_EQ(rate.take_sample(100ms).prior_delivered, 0U);  // nothing came since
}

TEST_F(DeliveryRateTest, SilenceIsNotSlowness) {
  deliver(100ms, send(0ms));
  EXPECT_EQ(rate.take_sample(100ms).bytes_per_second, 10'000U);
  deliver(60s + 100ms, send(60s));
  EXPECT_EQ(rate.take_sample(100ms).bytes_per_second, 10'000U);
}

TEST_F(DeliveryRateTest, TellsWhenTheApplicationWasTheLimit) {
  const Sent before = send(0ms);
  rate.on_application_limited(mss);
  const Sent during = send(10ms);
  deliver(100ms, before);
  EXPECT_FALSE(rate.take_sample(100ms).application_limited);
  deliver(110ms, during);
  EXPECT_TRUE(rate.take_sample(100ms).application_limited);
  const Sent after = send(120ms);  // all that was in flight then is delivered
  deliver(220ms, after);
  EXPECT_FALSE(rate.take_sample(100ms).application_limited);
}

}  // namespace
}  // namespace sidestream::tunnel
