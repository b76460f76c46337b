#include "sidecar/served_stream.h"

#include <gtest/gtest.h>

#include <set>

namespace sidestream::sidecar {
namespace {

TEST(ServedStream, EachEndHasWordsOfItsOwn) {
  std::set<std::string_view> texts;
  std::set<std::string_view> counters;
  for (std::size_t i = 0; i < served_end_count; ++i) {
    const auto end = static_cast<ServedEnd>(i);
    texts.insert(text_of(end));
    counters.insert(counter_of(end));
    EXPECT_EQ(is_refusal(end), text_of(end).starts_with("refused")) << text_of(end);
  }
  EXPECT_EQ(texts.size(), served_end_count);
  EXPECT_EQ(counters.size(), served_end_count);
}

TEST(ServedStream, SaysWhatTheSystemSaid) {
  ServedStream stream;
  EXPECT_EQ(stream.end_text(), "both ended");
  stream.end = ServedEnd::backend_not_reached;
  stream.error = "Connection refused";
  EXPECT_EQ(stream.end_text(), "backend not reached: Connection refused");
}

TEST(ServedStream, CountersAdd) {
  ServedCounters one;
  one.streams_in_all = 1;
  one.ended[0] = 2;
  one.bytes = {.left_to_right_bytes = 5, .right_to_left_bytes = 6};
  ServedCounters sum = one;
  sum.add(one);
  EXPECT_EQ(sum.streams_in_all, 2U);
  EXPECT_EQ(sum.ended[0], 4U);
  EXPECT_EQ(sum.bytes.left_to_right_bytes, 10U);
  EXPECT_EQ(sum.bytes.right_to_left_bytes, 12U);
}

}  // namespace
}  // namespace sidestream::sidecar
