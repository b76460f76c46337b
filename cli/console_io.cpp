#include "cli/console_io.h"

#include <cstdio>

namespace sidestream::cli {

void StandardConsole::print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    good_ = false;
}

// Nobody could be told that this failed.
void StandardConsole::complain(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace sidestream::cli
