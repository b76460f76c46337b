// A tun device of the kernel: whole IP packets, one for each read and write.
#pragma once

#include <string_view>

namespace sidestream {

// The descriptor of the device `name`, which does not block; the caller closes it. A device that
// does not exist is made and goes away with the descriptor, also from another network namespace
// that it was moved to. Throws std::system_error.
[[nodiscard]] int open_tun_device(std::string_view name);

}  // namespace sidestream
