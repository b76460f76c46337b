#include "cli/process_facts_io.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>

#include "streams/descriptor_io.h"

namespace sidestream::cli {
namespace {

TEST(ProcessFacts, AreOfThisProcess) {
  const ProcessFacts facts = process_facts();
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(facts.start_time_seconds, now - 3600);
  EXPECT_LT(facts.start_time_seconds, now + 2);
  EXPECT_GT(facts.resident_bytes, 1'000'000U);
  EXPECT_GE(facts.virtual_bytes, facts.resident_bytes);
  EXPECT_GT(facts.descriptors_max, facts.descriptors);
  EXPECT_EQ(process_facts().start_time_seconds, facts.start_time_seconds);
}

TEST(ProcessFacts, DescriptorsAreCounted) {
  const std::uint64_t before = process_facts().descriptors;
  EXPECT_GE(before, 3U);
  const UniqueFd one(::dup(0));
  const UniqueFd two(::dup(0));
  EXPECT_EQ(process_facts().descriptors, before + 2);
}

TEST(ProcessFacts, ALimitThatIsNotThereIsNoSample) {
  control::MetricsPage page;
  const MemoryMeter system;
  add_memory(page, system);
  EXPECT_EQ(page.text().contains("\nsidestream_memory_limit_bytes "), system.limit_bytes() > 0);
  control::MetricsPage limited;
  add_memory(limited, MemoryMeter(1UL << 20U));
  EXPECT_TRUE(limited.text().contains("\nsidestream_memory_limit_bytes 1048576\n"));
}

}  // namespace
}  // namespace sidestream::cli
