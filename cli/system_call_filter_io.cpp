#include "cli/system_call_filter_io.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

namespace sidestream::cli {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t architecture = 0;  // no filter
#endif

// A list of what is refused, not of what is allowed: C libraries change which calls they make, and
// a program that nobody looks at for months must not die of an update.
constexpr int refused[] = {
    // other programs and their memory
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_getfd,
    SYS_kcmp,
    // the file tree as a whole
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsmount,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_quotactl,
    // the kernel
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_syslog,
    SYS_fanotify_init,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    // who and where we are, and what time it is
    SYS_unshare,
    SYS_setns,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_capset,
    SYS_personality,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_clock_settime,
    SYS_settimeofday,
    SYS_clock_adjtime,
    SYS_adjtimex,
};

// What a filter looks at (seccomp(2)): the call's number, the architecture, the address of the
// instruction, the arguments. The low half of an argument is enough.
constexpr std::uint32_t call_at = 0;
constexpr std::uint32_t architecture_at = 4;
constexpr std::uint32_t first_argument_at = 16;

constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

class Filter {
 public:
  void add(std::uint16_t code, std::uint32_t value, std::uint8_t if_true = 0,
           std::uint8_t if_false = 0) {
    instructions_.push_back({code, if_true, if_false, value});
  }
  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void answer(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  // Skips `count` instructions unless what was loaded equals `value`.
  void unless_equal_skip(std::uint32_t value, std::uint8_t count) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count);
  }
  bool install() {
    sock_fprog program{.len = static_cast<unsigned short>(instructions_.size()),
                       .filter = instructions_.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
           0;
  }

 private:
  std::vector<sock_filter> instructions_;
};

}  // namespace

bool filter_system_calls() {
  if (architecture == 0) {
    errno = ENOSYS;
    return false;
  }
  Filter filter;
  // Calls of another architecture (32 bit, x32) are none of ours.
  filter.load(architecture_at);
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  filter.answer(refuse);
  filter.load(call_at);
#if defined(__x86_64__)
  constexpr std::uint32_t x32_bit = 0x40000000;
  filter.add(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 0, 1);
  filter.answer(refuse);
  for (const int call : {SYS_fork, SYS_vfork}) {
    filter.unless_equal_skip(static_cast<std::uint32_t>(call), 1);
    filter.answer(refuse);
  }
#endif
  for (const int call : refused) {
    filter.unless_equal_skip(static_cast<std::uint32_t>(call), 1);
    filter.answer(refuse);
  }
  // Its arguments cannot be looked at; the C library takes clone() when there is no clone3().
  filter.unless_equal_skip(SYS_clone3, 1);
  filter.answer(SECCOMP_RET_ERRNO | ENOSYS);
  // Threads, but no processes.
  filter.unless_equal_skip(SYS_clone, 4);
  filter.load(first_argument_at);
  filter.add(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
  filter.answer(refuse);
  filter.answer(SECCOMP_RET_ALLOW);
  // Sockets of the families that we speak.
  filter.unless_equal_skip(SYS_socket, 7);
  filter.load(first_argument_at);
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 4, 0);
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 3, 0);
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 2, 0);
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0);
  filter.answer(refuse);
  filter.answer(SECCOMP_RET_ALLOW);
  filter.answer(SECCOMP_RET_ALLOW);
  return filter.install();
}

}  // namespace sidestream::cli
