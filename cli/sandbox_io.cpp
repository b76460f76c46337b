#include "cli/sandbox_io.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/system_call_filter_io.h"
#include "streams/descriptor_io.h"

namespace sidestream::cli {
namespace {

// Where the C library finds what it needs for names, time and certificates. Folders and not files,
// because files like /etc/resolv.conf are replaced by others while we run.
constexpr const char* system_folders[] = {"/etc",  "/usr", "/lib", "/lib64",
                                          "/proc", "/run", "/sys", "/dev"};

// Of version 1 of Landlock, which later ones only add to.
constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t handled = reading | writing | LANDLOCK_ACCESS_FS_EXECUTE |
                                  LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

void allow(int rules, const std::string& folder, std::uint64_t access) {
  const UniqueFd place(::open(folder.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return;
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = access;
  beneath.parent_fd = place.get();
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

std::string failure(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

// The error is why there is none.
std::string restrict_files(const SandboxFolders& folders) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled;
  const UniqueFd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!rules) return failure("Landlock");
  for (const char* folder : system_folders) allow(rules.get(), folder, reading);
  for (const std::string& folder : folders.read) allow(rules.get(), folder, reading);
  for (const std::string& folder : folders.write) allow(rules.get(), folder, reading | writing);
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return failure("Landlock");
  return {};
}

}  // namespace

void protect_memory() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (std::getenv("SIDESTREAM_DEBUG") == nullptr) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

SandboxReport enter_sandbox(const SandboxFolders& folders) {
  SandboxReport report;
  // Both want the promise that no program started from here gets more rights.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    report.missing = failure("no_new_privs");
    return report;
  }
  report.missing = restrict_files(folders);
  report.files = report.missing.empty();
  report.system_calls = filter_system_calls();
  if (!report.system_calls)
    report.missing += (report.missing.empty() ? "" : ", ") + failure("seccomp");
  return report;
}

}  // namespace sidestream::cli
