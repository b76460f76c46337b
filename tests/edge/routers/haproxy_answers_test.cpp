#include "edge/routers/haproxy_answers.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

// As 2.6.12 says it; most lines and columns left out.
constexpr std::string_view view_answer =
    "Name: HAProxy\n"
    "Version: 2.6.12-1+deb12u4\n"
    "Pid: 5183\n"
    "Uptime: 0d 0h01m02s\n"
    "Uptime_sec: 62\n"
    "node: vm\n"
    "\n"
    "# id (file) description\n"
    "1 (/etc/haproxy/own (old).map) pattern loaded from file '/etc/haproxy/own (old).map' used by "
    "map at file 'h.cfg' line 3. curr_ver=0 next_ver=0 entry_cnt=7\n"
    "-1 (haproxy.map) pattern loaded from file 'haproxy.map' used by map at file 'h.cfg' line 16. "
    "curr_ver=0 next_ver=0 entry_cnt=0\n"
    "\n"
    "# pxname,svname,scur,status,type,addr,mode,\n"
    "names,FRONTEND,0,OPEN,0,,tcp,\n"
    "names,sock-1,0,OPEN,3,:::443,tcp,\n"
    "names,sock-2,0,OPEN,3,127.0.0.1:8443,tcp,\n"
    "web,sock-1,0,OPEN,3,0.0.0.0:80,http,\n"
    "sidestream,edge,0,no check,2,127.0.0.1:5150,tcp,\n"
    "sidestream,BACKEND,0,UP,1,,tcp,\n"
    "\n";

TEST(HaproxyAnswers, TellWhatHaproxyIsAndHas) {
  const auto view = parse_haproxy_view(view_answer);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->version, "2.6.12-1+deb12u4");
  EXPECT_EQ(view->pid, "5183");
  EXPECT_EQ(view->uptime_seconds, 62U);
  EXPECT_EQ(view->maps, (std::vector<HaproxyView::Map>{{"1", "/etc/haproxy/own (old).map"},
                                                       {"-1", "haproxy.map"}}));
  EXPECT_EQ(
      view->servers,
      (std::vector<HaproxyView::Server>{{"sidestream", "edge", "127.0.0.1:5150", "no check"}}));
  EXPECT_EQ(view->backends, (std::set<std::string>{"sidestream"}));
  EXPECT_EQ(view->tcp_ports, (std::set<std::uint16_t>{443, 8443}));
  EXPECT_TRUE(view->tells_ports);
}

TEST(HaproxyAnswers, WithoutSocketStatisticsNoPortIsKnown) {
  const auto view = parse_haproxy_view(
      "Name: HAProxy\nPid: 1\n\n# id (file) description\n\n"
      "# pxname,svname,type\nnames,FRONTEND,0\n\n");
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->tells_ports);
  EXPECT_TRUE(view->tcp_ports.empty());
}

TEST(HaproxyAnswers, SomethingElseIsNoAnswer) {
  EXPECT_FALSE(parse_haproxy_view(""));
  EXPECT_FALSE(parse_haproxy_view("Permission denied\n\n"));
  EXPECT_FALSE(parse_haproxy_view("Name: Other\nPid: 1\n\n\n# type\n\n"));
  for (std::size_t length = 0; length < view_answer.size() - 200; ++length)
    EXPECT_FALSE(parse_haproxy_view(view_answer.substr(0, length)) &&
                 length < view_answer.find("# pxname"))
        << length;
}

TEST(HaproxyAnswers, EntriesKeepTheirReferencesAndOrder) {
  const auto entries = parse_haproxy_map(
      "0x7f05 a.test:443 sidestream\n"
      "0x7f06 a.test:443 elsewhere with blanks\n"
      "0x7f07 443\n"
      "no entry\n"
      "\n"
      "0x7f08 b.test:443 sidestream\n");
  EXPECT_EQ(entries, (std::vector<HaproxyEntry>{{"0x7f05", "a.test:443", "sidestream"},
                                                {"0x7f06", "a.test:443", "elsewhere with blanks"},
                                                {"0x7f07", "443", ""}}));
}

}  // namespace
}  // namespace sidestream::edge
