#include "streams/socket_address_io.h"

#include <gtest/gtest.h>

#include <boost/system/errc.hpp>

namespace sidestream {
namespace {

namespace errc = boost::system::errc;

TEST(SocketAddressIo, OnlyEveryAddressFallsBackToIpv4AndOnlyForWantOfIpv6) {
  const SocketAddress every = *SocketAddress::parse("[::]:443");
  const SocketAddress one = *SocketAddress::parse("[2001:db8::1]:443");
  const SocketAddress v4 = *SocketAddress::parse("0.0.0.0:443");
  for (const auto missing : {errc::address_family_not_supported, errc::address_not_available}) {
    EXPECT_TRUE(lacks_ipv6(every, errc::make_error_code(missing)));
    EXPECT_FALSE(lacks_ipv6(one, errc::make_error_code(missing)));
    EXPECT_FALSE(lacks_ipv6(v4, errc::make_error_code(missing)));
  }
  EXPECT_FALSE(lacks_ipv6(every, errc::make_error_code(errc::address_in_use)));
  EXPECT_FALSE(lacks_ipv6(every, errc::make_error_code(errc::permission_denied)));
}

}  // namespace
}  // namespace sidestream
