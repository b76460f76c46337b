#include "cli/lost_namespace.h"

#include <algorithm>

namespace sidestream::cli {

bool has_only_loopback(std::string_view interfaces) {
  bool any = false;
  while (!interfaces.empty()) {
    const std::size_t end = interfaces.find('\n');
    std::string_view line = interfaces.substr(0, end);
    interfaces.remove_prefix(end == std::string_view::npos ? interfaces.size() : end + 1);
    // Two lines of headings have no colon behind their first word.
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    any = true;
    line = line.substr(0, colon);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line != "lo") return false;
  }
  return any;
}

bool NamespaceJudge::handle_look(bool only_loopback, bool daemon_answers) {
  had_more_ = had_more_ || !only_loopback;
  lost_ = had_more_ && only_loopback && !daemon_answers ? lost_ + 1 : 0;
  return lost_ >= looks;
}

}  // namespace sidestream::cli
