#include "streams/log_line.h"

#include <gtest/gtest.h>

#include <array>

#include "streams/escaped_text.h"

namespace sidestream {
namespace {

const WallTime time_of_event{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 8h + 123ms};

TEST(LogLine, ReadsWellAsText) {
  const std::array<LogField, 3> fields{
      {{"service", "ssh"}, {"bytes", std::uint64_t{12}}, {"seconds", 1.25}}};
  EXPECT_EQ(log_line(LogFormat::text, time_of_event, LogLevel::info, "stream ended", fields),
            "2026-11-21T08:00:00.123Z info  stream ended service=ssh bytes=12 seconds=1.25");
}

TEST(LogLine, IsAnObjectAsJson) {
  const std::array<LogField, 2> fields{{{"service", "ssh"}, {"bytes", std::uint64_t{12}}}};
  EXPECT_EQ(log_line(LogFormat::json, time_of_event, LogLevel::warn, "x", fields),
            R"({"time":"2026-11-21T08:00:00.123Z","level":"warn","event":"x",)"
            R"("service":"ssh","bytes":12})");
}

TEST(LogLine, CannotBeBrokenByWhatStrangersSend) {
  const std::array<LogField, 1> fields{{{"name", "a b\"\n\x1b[31m\xff"}}};
  EXPECT_EQ(log_line(LogFormat::text, time_of_event, LogLevel::info, "x", fields),
            "2026-11-21T08:00:00.123Z info  x name=\"a b\\\"\\n\\x1b[31m\\xff\"");
  EXPECT_EQ(log_line(LogFormat::json, time_of_event, LogLevel::info, "x", fields),
            R"({"time":"2026-11-21T08:00:00.123Z","level":"info","event":"x",)"
            R"("name":"a b\"\n\u001b[31m\ufffd"})");
}

TEST(LogLine, CutsWhatIsTooLong) {
  const std::string text(10'000, 'a');
  const std::array<LogField, 1> fields{{{"name", text}}};
  const std::string line = log_line(LogFormat::text, time_of_event, LogLevel::info, "x", fields);
  EXPECT_LT(line.size(), escaped_bytes_max + 100);
  EXPECT_TRUE(line.ends_with("a...(9488 more bytes)\"")) << line;
}

TEST(LogLine, TakesValuesOfManyKinds) {
  const std::string client = "198.51.100.7:50123";
  const std::array<LogField, 6> fields{{{"count", -5},
                                        {"bytes", 7U},
                                        {"duration", 12500ms},
                                        {"healthy", true},
                                        {"end", "both ended"},
                                        {"client", client}}};
  EXPECT_EQ(format_fields(LogFormat::text, fields),
            " count=-5 bytes=7 duration=12.5s healthy=yes end=\"both ended\" "
            "client=198.51.100.7:50123");
  EXPECT_EQ(format_fields(LogFormat::json, fields),
            R"(,"count":-5,"bytes":7,"duration":12.500000,"healthy":true,"end":"both ended",)"
            R"("client":"198.51.100.7:50123")");
}

TEST(LogLine, DurationsAsPeopleWriteThem) {
  EXPECT_EQ(text_of(Duration(0)), "0ns");
  EXPECT_EQ(text_of(Duration(350us)), "350us");
  EXPECT_EQ(text_of(Duration(12500us)), "12.5ms");
  EXPECT_EQ(text_of(Duration(3s)), "3s");
  EXPECT_EQ(text_of(Duration(5min + 10s)), "5m10s");
  EXPECT_EQ(text_of(Duration(2h + 3min + 59s)), "2h03m");
  EXPECT_EQ(text_of(Duration(76h)), "3d4h");
  EXPECT_EQ(text_of(Duration(-1500ms)), "-1.5s");
  EXPECT_FALSE(text_of(Duration::min()).empty());
}

}  // namespace
}  // namespace sidestream
