#include "cli/admin_default_io.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sidestream::cli {
namespace {

constexpr const char* usual = "/run/sidestream/admin.sock";

class AdminDefault : public testing::Test {
 protected:
  AdminDefault() {
    if (const char* before = std::getenv("XDG_RUNTIME_DIR")) before_ = before;
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    own_ = folder_ + "/sidestream/admin.sock";
  }
  ~AdminDefault() override {
    if (before_.empty())
      unsetenv("XDG_RUNTIME_DIR");
    else
      setenv("XDG_RUNTIME_DIR", before_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }

  static bool may_use_run() {
    const bool there = std::filesystem::exists("/run/sidestream");
    return ::access(there ? "/run/sidestream" : "/run", W_OK | X_OK) == 0;
  }

  std::string before_;
  std::string folder_;
  std::string own_;
};

TEST_F(AdminDefault, WhoMayNotWriteToRunUsesTheOwnFolder) {
  setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  EXPECT_EQ(admin_socket_to_make(), may_use_run() ? usual : own_);
  setenv("XDG_RUNTIME_DIR", "relative", 1);
  EXPECT_EQ(admin_socket_to_make(), usual);
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(admin_socket_to_make(), usual);
}

TEST_F(AdminDefault, StatusLooksWhereASocketIs) {
  setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  EXPECT_EQ(admin_socket_to_ask(), usual) << "none is there: this is what the message names";
  std::filesystem::create_directory(folder_ + "/sidestream");
  std::ofstream(own_.c_str()) << "x";
  EXPECT_EQ(admin_socket_to_ask(), std::filesystem::exists(usual) ? usual : own_);
}

}  // namespace
}  // namespace sidestream::cli
