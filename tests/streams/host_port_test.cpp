#include "streams/host_port.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

HostPortError error_of(std::string_view text) {
  const auto parsed = HostPort::parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? HostPortError::no_host : parsed.error();
}

TEST(HostPort, RoundTrips) {
  for (const std::string text :
       {"electrs:50001", "host.docker.internal:22", "192.0.2.1:1", "[::1]:22", "my_app:65535",
        "xn--bcher-kva.example:443", "a.example.:443", "[2001:db8::1]:51820", "1password:80"}) {
    const auto parsed = HostPort::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
    EXPECT_EQ(HostPort::parse(parsed->text()), parsed);
  }
  EXPECT_EQ(HostPort::parse("[::1]:22")->host, "::1");
}

TEST(HostPort, SaysWhatIsWrong) {
  EXPECT_EQ(error_of(""), HostPortError::no_host);
  EXPECT_EQ(error_of(":22"), HostPortError::no_host);
  EXPECT_EQ(error_of("[]:22"), HostPortError::no_host);
  EXPECT_EQ(error_of("electrs"), HostPortError::no_port);
  EXPECT_EQ(error_of("electrs:"), HostPortError::no_port);
  EXPECT_EQ(error_of("[::1]"), HostPortError::no_port);
  EXPECT_EQ(error_of("192.0.2.1"), HostPortError::no_port);
  EXPECT_EQ(error_of("electrs:0"), HostPortError::bad_port);
  EXPECT_EQ(error_of("electrs:65536"), HostPortError::bad_port);
  EXPECT_EQ(error_of("electrs:022"), HostPortError::bad_port);
  EXPECT_EQ(error_of("electrs:+22"), HostPortError::bad_port);
  EXPECT_EQ(error_of("electrs:ssh"), HostPortError::bad_port);
  EXPECT_EQ(error_of("a b:22"), HostPortError::bad_host);
  EXPECT_EQ(error_of(".a:22"), HostPortError::bad_host);
  EXPECT_EQ(error_of("a..b:22"), HostPortError::bad_host);
  EXPECT_EQ(error_of("bücher.example:22"), HostPortError::bad_host);
  EXPECT_EQ(error_of("::1:22"), HostPortError::no_brackets);
  EXPECT_EQ(error_of("192.0.2.256:22"), HostPortError::bad_address);
  EXPECT_EQ(error_of("192.0.2:22"), HostPortError::bad_address);
  EXPECT_EQ(error_of("[::g]:22"), HostPortError::bad_address);
  EXPECT_EQ(error_of("[fe80::1%eth0]:22"), HostPortError::bad_address);
  EXPECT_EQ(error_of("[192.0.2.1]:22"), HostPortError::bad_address);
  EXPECT_EQ(error_of(std::string(254, 'a') + ":22"), HostPortError::host_too_long);
}

TEST(HostPort, ExplainsEachError) {
  for (int error = 0; error <= static_cast<int>(HostPortError::host_too_long); ++error)
    EXPECT_FALSE(text_of(static_cast<HostPortError>(error)).empty());
}

}  // namespace
}  // namespace sidestream
