#include "sidecar/backend_address.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

TEST(BackendAddress, RoundTrips) {
  for (const std::string text : {"electrs:50001", "[::1]:22", "tls://app:443", "unix:/run/app.sock",
                                 "host.docker.internal:22"}) {
    const auto parsed = BackendAddress::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
    EXPECT_EQ(BackendAddress::parse(parsed->text()), parsed);
  }
  EXPECT_TRUE(BackendAddress::parse("tls://app:443")->tls);
  EXPECT_EQ(BackendAddress::parse("tls://app:443")->host_port.host, "app");
  EXPECT_EQ(BackendAddress::parse("unix:/run/app.sock")->unix_path, "/run/app.sock");
}

TEST(BackendAddress, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto parsed = BackendAddress::parse(text);
    return parsed ? "" : parsed.error();
  };
  EXPECT_EQ(error("electrs"), "\"electrs\": the port is missing; write HOST:PORT");
  EXPECT_EQ(error("::1:22"), "\"::1:22\": an IPv6 address needs brackets; write [ADDRESS]:PORT");
  EXPECT_EQ(error("http://app:80"),
            "\"http://app:80\": write HOST:PORT without a scheme, or tls://HOST:PORT");
  EXPECT_EQ(error("tls://app"), "\"tls://app\": the port is missing; write HOST:PORT");
  EXPECT_EQ(error("/run/app.sock"),
            "\"/run/app.sock\": write unix: before the path of a Unix socket");
  EXPECT_EQ(error("unix:app.sock"),
            "\"unix:app.sock\": the path of a Unix socket must be absolute; write unix:/PATH");
  EXPECT_EQ(error("unix:/run/"), "\"unix:/run/\": this is not the path of a file");
  EXPECT_TRUE(error("unix:/" + std::string(107, 'x'))
                  .ends_with("the path of a Unix socket has 107 bytes at most; use a shorter one"));
}

}  // namespace
}  // namespace sidestream::sidecar
