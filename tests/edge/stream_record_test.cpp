#include "edge/stream_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sidestream::edge {
namespace {

StreamRecord routed() {
  StreamRecord record;
  record.client = SocketAddress::parse("203.0.113.7:51234").value();
  record.port = 443;
  record.server_name = ServerName::parse("a.example.com").value();
  record.endpoint = control::Endpoint::parse("a.example.com").value();
  record.sidecar = "home";
  record.service = "electrum";
  record.bytes_from_client = 517;
  record.bytes_to_client = 4096;
  record.duration = 1500ms;
  return record;
}

std::string line(const StreamRecord& record) {
  std::string text;
  record.tell([&](std::span<const LogField> fields) {
    text = log_line(LogFormat::text, WallTime(), LogLevel::info, record.event(), fields);
  });
  return text.substr(text.find("stream"));
}

TEST(StreamRecordTest, TellsARoutedStream) {
  EXPECT_EQ(line(routed()),
            "stream ended client=203.0.113.7:51234 endpoint=a.example.com sidecar=home "
            "service=electrum bytes_in=517 bytes_out=4096 duration=1.5s end=finished");
  StreamRecord record = routed();
  record.endpoint = control::Endpoint::parse("*.example.com").value();
  record.end = StreamEnd::sidecar_broke;
  record.error = "Connection reset by peer";
  EXPECT_THAT(line(record), testing::HasSubstr("server_name=a.example.com"));
  EXPECT_THAT(line(record), testing::HasSubstr("end=\"the sidecar broke it\""));
  EXPECT_THAT(line(record), testing::HasSubstr("error=\"Connection reset by peer\""));
}

TEST(StreamRecordTest, TellsARefusedStream) {
  StreamRecord record;
  record.client = SocketAddress::parse("[2001:db8::7]:1").value();
  record.port = 8443;
  record.end = StreamEnd::hello_malformed;
  record.why = "two server name extensions";
  record.untold_refusals = 12;
  const std::string malformed = line(record);
  EXPECT_TRUE(malformed.starts_with("stream refused client=")) << malformed;
  EXPECT_THAT(malformed, testing::HasSubstr("endpoint=:8443"));
  EXPECT_THAT(malformed, testing::HasSubstr("why=\"two server name extensions\""));
  EXPECT_THAT(malformed, testing::HasSubstr("untold_refusals=12"));
  EXPECT_THAT(malformed, testing::Not(testing::HasSubstr("bytes")));
  record.server_name = ServerName::parse("b.test").value();
  record.end = StreamEnd::no_such_name;
  EXPECT_THAT(line(record), testing::HasSubstr("endpoint=b.test:8443"));
}

// What a sidecar calls its service cannot forge a line.
TEST(StreamRecordTest, EscapesWhatOthersChose) {
  StreamRecord record = routed();
  record.service = "x\n2026-11-21 stream ended";
  EXPECT_EQ(line(record).find('\n'), std::string::npos);
}

TEST(StreamRecordTest, EveryEndHasWordsOfItsOwn) {
  std::set<std::string_view> texts;
  std::set<std::string_view> counters;
  for (std::size_t i = 0; i < stream_end_count; ++i) {
    const auto end = static_cast<StreamEnd>(i);
    texts.insert(text_of(end));
    counters.insert(counter_of(end));
    EXPECT_TRUE(std::ranges::all_of(counter_of(end),
                                    [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); }));
  }
  EXPECT_EQ(texts.size(), stream_end_count);
  EXPECT_EQ(counters.size(), stream_end_count);
  EXPECT_FALSE(is_refusal(StreamEnd::edge_stopped));
  EXPECT_TRUE(is_refusal(StreamEnd::client_left));
  EXPECT_EQ(counter_of(StreamEnd::given_up), "given_up");
}

}  // namespace
}  // namespace sidestream::edge
