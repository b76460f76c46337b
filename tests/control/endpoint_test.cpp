#include "control/endpoint.h"

#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

namespace sidestream::control {
namespace {

Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}
std::string error(std::string_view text) {
  return Endpoint::parse(text).error();
}

TEST(EndpointTest, ParsesTheNotation) {
  EXPECT_EQ(endpoint("Electrum.Example.com.").name->text(), "electrum.example.com");
  EXPECT_EQ(endpoint("electrum.example.com").port, 443);
  EXPECT_EQ(endpoint("electrum.example.com:50002").port, 50002);
  EXPECT_TRUE(endpoint("*.home.example.com").name->is_wildcard());
  EXPECT_FALSE(endpoint(":50002").name);
  EXPECT_EQ(endpoint(":50002").port, 50002);
  EXPECT_EQ(endpoint(":443").port, 443);
  EXPECT_EQ(endpoint("localhost:1").port, 1);
}

TEST(EndpointTest, TextParsesToTheSameValue) {
  for (const char* text : {"a.example.com", "a.example.com:50002", "*.example.com", ":443", ":1",
                           "*.example.com:65535", "localhost"}) {
    EXPECT_EQ(endpoint(text).text(), text);
    EXPECT_EQ(endpoint(endpoint(text).text()), endpoint(text));
  }
  EXPECT_EQ(endpoint("A.example.com.:443").text(), "a.example.com");
}

TEST(EndpointTest, ErrorsSayWhatToWrite) {
  EXPECT_EQ(error(""), "\"\": an endpoint is NAME, NAME:PORT or :PORT");
  EXPECT_EQ(error("2222"), "\"2222\": a port alone is written with a colon: write :PORT");
  EXPECT_EQ(error("2222."), "\"2222.\": a port alone is written with a colon: write :PORT");
  EXPECT_EQ(error("2222:443"), "\"2222:443\": a name is not only digits: write NAME:PORT or :PORT");
  EXPECT_EQ(error(":70000"), "\":70000\": a port is a number from 1 to 65535");
  for (const char* bad : {":", ":0", "a.test:", "a.test:x", "a.test:-1", "a.test:443:444",
                          ":50000-50099", "a.test: 443", ":99999999999999999999"})
    EXPECT_NE(error(bad).find("a port is a number from 1 to 65535"), std::string::npos) << bad;
  EXPECT_NE(error("https://a.test").find("not a URL"), std::string::npos);
  EXPECT_NE(error("a.test/path").find("not a URL"), std::string::npos);
  for (const char* bad :
       {"192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1", "::", "1.2.3"})
    EXPECT_NE(error(bad).find("not an address"), std::string::npos) << bad;
  EXPECT_NE(error("m\xc3\xbcnchen.example").find("xn--"), std::string::npos);
  EXPECT_NE(error("a.*.test").find("star"), std::string::npos);
  EXPECT_NE(error("*").find("star"), std::string::npos);
  EXPECT_NE(error("a b").find("letters, digits"), std::string::npos);
  EXPECT_EQ(error("a\n\"b"),
            "\"a\\x0a\\x22b\": a name is made of letters, digits, hyphens, "
            "underscores and dots");
  EXPECT_LT(error(std::string(100'000, 'a')).size(), 200U);
}

TEST(EndpointTest, IsAKey) {
  const std::set<Endpoint> ordered{endpoint("b.test"), endpoint(":1"), endpoint("b.test:443"),
                                   endpoint("b.test:1")};
  EXPECT_EQ(ordered.size(), 3U);
  const std::unordered_set<Endpoint> hashed(ordered.begin(), ordered.end());
  EXPECT_TRUE(hashed.contains(endpoint("B.TEST.")));
  EXPECT_FALSE(hashed.contains(endpoint(":2")));
}

}  // namespace
}  // namespace sidestream::control
