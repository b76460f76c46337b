// A write of a state file that fails, or in which the process dies, at each of its system calls:
// afterwards the old content is there or the new one, whole, and the next write succeeds.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "streams/state_file_io.h"

namespace sidestream {
namespace {

// From now on this system call fails with `error` (0: kills the process).
bool break_call(long call, int error) {
  const std::uint32_t verdict = error == 0 ? static_cast<std::uint32_t>(SECCOMP_RET_KILL_PROCESS)
                                           : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  std::array<sock_filter, 4> filter{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(call)},
      {BPF_RET | BPF_K, 0, 0, verdict},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct Step {
  const char* name;
  long call;
  bool has_new;  // the new content may be there although the call failed
};

// In the order in which write() makes them.
constexpr std::array steps{
    Step{"unlink", SYS_unlink, true}, Step{"open", SYS_openat, false},
    Step{"write", SYS_write, false},  Step{"fsync", SYS_fsync, false},
    Step{"close", SYS_close, false},  Step{"rename", SYS_rename, false},
};

class StateFileFaults : public testing::Test {
 protected:
  StateFileFaults() { EXPECT_TRUE(folder_.prepare()); }
  ~StateFileFaults() override { std::filesystem::remove_all(path_); }

  const std::string path_ = std::filesystem::temp_directory_path().string() +
                            "/sidestream-state-faults-" + std::to_string(::getpid());
  const StateFolder folder_{path_};
};

TEST_F(StateFileFaults, OldOrNewAtEachStep) {
  const std::string before(5000, 'o');
  const std::string after(7000, 'n');
  for (const Step& step : steps) {
    for (const int error : {ENOSPC, EIO, 0}) {
      SCOPED_TRACE(std::string(step.name) + " " + std::to_string(error));
      ASSERT_TRUE(folder_.write("it", before));
      const pid_t child = ::fork();
      if (child == 0) {
        if (!break_call(step.call, error)) ::_exit(3);
        ::syscall(SYS_exit_group, folder_.write("it", after) ? 0 : 1);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      if (error == 0) {
        EXPECT_TRUE(WIFSIGNALED(status));
      } else {
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1) << status;
      }
      const auto content = folder_.read("it");
      ASSERT_TRUE(content && *content);
      const bool told_new = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      EXPECT_TRUE(**content == before || **content == after);
      if (told_new) {
        EXPECT_EQ(**content, after) << "what was promised is there";
      }
      if (!step.has_new) {
        EXPECT_EQ(**content, before);
      }
      ASSERT_TRUE(folder_.write("it", after));
      EXPECT_EQ(**folder_.read("it"), after);
    }
  }
}

}  // namespace
}  // namespace sidestream
