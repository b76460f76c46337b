#include "streams/state_file_io.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sidestream {
namespace {

class StateFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "sidestream_state_XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    root_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::filesystem::path root_;
};

TEST_F(StateFolderTest, WritesWholeFilesForTheOwnerOnly) {
  const StateFolder folder((root_ / "a/state").string());
  ASSERT_TRUE(folder.prepare());
  EXPECT_EQ(*folder.read("key"), std::nullopt);
  ASSERT_TRUE(folder.write("key", "one"));
  ASSERT_TRUE(folder.write("key", "two"));
  EXPECT_EQ(*folder.read("key"), "two");
  struct stat facts{};
  ASSERT_EQ(::stat(folder.path_of("key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((root_ / "a/state").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(StateFolderTest, RefusesFilesThatOthersMayRead) {
  const StateFolder folder(root_.string());
  ASSERT_TRUE(folder.write("key", "secret"));
  ASSERT_EQ(::chmod(folder.path_of("key").c_str(), 0640), 0);
  const auto read = folder.read("key");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().find("chmod 600"), std::string::npos);
}

TEST_F(StateFolderTest, ALeftoverOfAKilledWriterDoesNotHinder) {
  const StateFolder folder(root_.string());
  std::ofstream(root_ / "key.new") << "half";
  ASSERT_TRUE(folder.write("key", "whole"));
  EXPECT_EQ(*folder.read("key"), "whole");
  EXPECT_FALSE(std::filesystem::exists(root_ / "key.new"));
}

TEST_F(StateFolderTest, KeepsTheOldFileWhenTheNewOneCannotBeWritten) {
  const StateFolder folder(root_.string());
  ASSERT_TRUE(folder.write("key", "old"));
  std::filesystem::create_directories(root_ / "key.new/x");  // nothing can be created in its place
  const auto written = folder.write("key", "new");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().find("key"), std::string::npos);
  EXPECT_EQ(*folder.read("key"), "old");
}

TEST_F(StateFolderTest, SaysWhichFolderCannotBeMade) {
  std::ofstream(root_ / "file") << "x";
  const auto prepared = StateFolder((root_ / "file/state").string()).prepare();
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().find("file/state"), std::string::npos);
}

}  // namespace
}  // namespace sidestream
