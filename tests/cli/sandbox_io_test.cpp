#include "cli/sandbox_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

namespace sidestream::cli {
namespace {

// What `probe` returns in a process of its own, which may lock itself in.
int in_child(const std::function<int()>& probe) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(probe());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class SandboxTest : public testing::Test {
 protected:
  SandboxTest() {
    std::filesystem::create_directories(folder_ / "state");
    std::filesystem::create_directories(folder_ / "other");
  }
  ~SandboxTest() override { std::filesystem::remove_all(folder_); }

  // The errno of an operation inside of the sandbox; 0: it succeeded.
  int errno_inside(const std::function<bool()>& operation) {
    return in_child([&] {
      const SandboxReport report = enter_sandbox({{}, {(folder_ / "state").string()}});
      if (!report.files || !report.system_calls) return 250;
      errno = 0;
      return operation() ? 0 : errno;
    });
  }
  static bool opens(const std::filesystem::path& path, int flags) {
    return ::open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("sidestream-sandbox-" + std::to_string(::getpid()));
};

TEST_F(SandboxTest, KeepsWhatTheProgramNeeds) {
  EXPECT_EQ(errno_inside([&] { return opens(folder_ / "state/new", O_WRONLY | O_CREAT); }), 0);
  EXPECT_EQ(errno_inside([&] { return opens("/etc/hosts", O_RDONLY); }), 0);
  EXPECT_EQ(errno_inside([] { return ::socket(AF_INET6, SOCK_DGRAM, 0) >= 0; }), 0);
  EXPECT_EQ(errno_inside([] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }), 0);
  EXPECT_EQ(errno_inside([] {
              bool ran = false;
              std::thread([&ran] { ran = true; }).join();
              return ran;
            }),
            0);
}

TEST_F(SandboxTest, TakesFilesAway) {
  EXPECT_EQ(errno_inside([&] { return opens(folder_ / "other/new", O_WRONLY | O_CREAT); }), EACCES);
  EXPECT_EQ(errno_inside([&] { return opens(folder_ / "other", O_RDONLY); }), EACCES);
  EXPECT_EQ(errno_inside([] { return opens("/etc/hosts", O_WRONLY); }), EACCES);
}

TEST_F(SandboxTest, TakesProgramsAndTracingAway) {
  EXPECT_EQ(errno_inside([] { return ::execl("/bin/true", "true", nullptr) == 0; }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::fork() >= 0; }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::socket(AF_PACKET, SOCK_RAW, 0) >= 0; }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::unshare(CLONE_NEWUSER) == 0; }), EPERM);
}

TEST(ProtectMemory, NoDumpsAndNobodyLooks) {
  EXPECT_EQ(in_child([] {
              ::unsetenv("SIDESTREAM_DEBUG");
              protect_memory();
              rlimit core{};
              ::getrlimit(RLIMIT_CORE, &core);
              return ::prctl(PR_GET_DUMPABLE) == 0 && core.rlim_max == 0 ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_child([] {
              ::setenv("SIDESTREAM_DEBUG", "1", 1);
              protect_memory();
              rlimit core{};
              ::getrlimit(RLIMIT_CORE, &core);
              return ::prctl(PR_GET_DUMPABLE) == 1 && core.rlim_max == 0 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace sidestream::cli
