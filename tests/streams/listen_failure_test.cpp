#include "streams/listen_failure.h"

#include <gtest/gtest.h>

#include <boost/system/errc.hpp>

namespace sidestream {
namespace {

namespace errc = boost::system::errc;

TEST(ListenFailure, SaysWhatToDo) {
  const auto said = [](errc::errc_t error) {
    return explain_listen_failure(errc::make_error_code(error), 443);
  };
  EXPECT_EQ(said(errc::address_in_use),
            "another program listens there; `ss -tulpn | grep :443` shows which: stop it, or take "
            "another port");
  EXPECT_TRUE(said(errc::permission_denied).contains("CAP_NET_BIND_SERVICE"));
  EXPECT_TRUE(said(errc::address_not_available).contains("`ip address`"));
  EXPECT_EQ(said(errc::not_enough_memory), "Cannot allocate memory");
}

}  // namespace
}  // namespace sidestream
