#include "tunnel/wireguard_limits.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

TEST(WireGuardLimits, AreThoseOfThePaperAndOfLinux) {
  const Vector vector = load_vector("wireguard.json", "constants");
  const auto number = [&](const char* name) { return number_of_json(vector.expect.at(name)); };
  const auto seconds = [&](const char* name) {
    return Duration(std::chrono::seconds(number(name)));
  };
  EXPECT_EQ(rekey_after_messages, number("rekey_after_messages"));
  EXPECT_EQ(reject_after_messages, number("reject_after_messages_whitepaper"));
  EXPECT_EQ(rekey_after_time, seconds("rekey_after_time_s"));
  EXPECT_EQ(rekey_after_time, seconds("initiator_send_rekey_age_s"));
  EXPECT_EQ(rekey_on_receive_after_time, seconds("initiator_recv_rekey_age_s"));
  EXPECT_EQ(reject_after_time, seconds("reject_after_time_s"));
  EXPECT_EQ(rekey_attempt_time, seconds("rekey_attempt_time_s"));
  EXPECT_EQ(rekey_timeout, seconds("rekey_timeout_s"));
  EXPECT_EQ(rekey_jitter_max,
            std::chrono::milliseconds(number("rekey_timeout_jitter_max_ms_kernel")));
  EXPECT_EQ(keepalive_timeout, seconds("keepalive_timeout_s"));
  EXPECT_EQ(keepalive_timeout + rekey_timeout, seconds("stale_handshake_after_send_s"));
  EXPECT_EQ(zero_keys_after_time, seconds("zero_key_material_after_s"));
  EXPECT_EQ(handshake_retries_max, number("max_timer_handshakes"));
  EXPECT_EQ(handshake_retries_max, rekey_attempt_time / rekey_timeout);
  EXPECT_EQ(cookie_secret_lifetime, seconds("cookie_secret_max_age_s"));
  EXPECT_EQ(cookie_latency, seconds("cookie_secret_latency_s"));
  EXPECT_EQ(Duration(1s) / initiation_interval_min,
            static_cast<long>(number("initiations_per_second")));
  EXPECT_EQ(replay_window_size, number("replay_window"));
  EXPECT_EQ(padding_multiple, number("padding_multiple"));
  EXPECT_EQ(handshake_traffic_class, number("handshake_ds_field"));
  EXPECT_EQ(under_load_memory, seconds("under_load_sticky_s"));

  const DeviceLimits limits;
  EXPECT_EQ(limits.staged_packets_max, number("max_staged_packets"));
  EXPECT_EQ(limits.handshakes_per_source_second, number("ratelimit_packets_per_s"));
  EXPECT_EQ(limits.handshakes_per_source_burst, number("ratelimit_burst"));
  // Ours is a quarter of Linux's queue, but "under load" is an eighth of the queue here too.
  EXPECT_EQ(limits.handshake_queue_max / limits.under_load_from,
            number("max_queued_incoming_handshakes") / number("under_load_queue_len"));
}

TEST(WireGuardLimits, BuffersHoldEveryDatagram) {
  EXPECT_EQ(transport_overhead_max, 47U);
  EXPECT_EQ(datagram_bytes_for(1420), 1452U);
  EXPECT_EQ(datagram_bytes_for(0), initiation_bytes);
  EXPECT_LE(datagram_bytes_for(100'000), datagram_bytes_max);
}

}  // namespace
}  // namespace sidestream::tunnel
