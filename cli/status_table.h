// What `sidestream status` shows: the tunnel, when the other side was last heard, the round trip,
// and each service with its endpoints, its health and why it is not published.
#pragma once

#include <string>

#include "control/status_messages.h"

namespace sidestream::cli {

// Several lines, each with its end.
[[nodiscard]] std::string status_table(const control::Status& status);
[[nodiscard]] std::string status_table(const control::EdgeStatus& status);
[[nodiscard]] std::string status_table(const control::SidecarStatus& status);

}  // namespace sidestream::cli
