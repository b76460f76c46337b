// A container that shares another one's network loses all of it when that one ends: the namespace
// stays, empty. Nothing inside can mend that; whoever started the program can.
#pragma once

#include <stdexcept>
#include <string_view>

namespace sidestream::cli {

// By /proc/net/dev.
[[nodiscard]] bool has_only_loopback(std::string_view interfaces);

// Ends the program with an exit code of its own.
class NamespaceLost : public std::runtime_error {
 public:
  NamespaceLost()
      : std::runtime_error(
            "every network interface is gone and Tailscale with them: the container whose network "
            "this one shares has ended; start this one again, after it") {}
};

// Whether it is so for long enough, by what is seen every look_every.
class NamespaceJudge {
 public:
  static constexpr unsigned looks = 2;

  // True: it is lost. Where there was nothing but loopback from the start nothing can be lost.
  bool handle_look(bool only_loopback, bool daemon_answers);

 private:
  bool had_more_ = false;
  unsigned lost_ = 0;
};

}  // namespace sidestream::cli
