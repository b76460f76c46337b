// Changes of the host's addresses and routes, as the kernel tells them (rtnetlink(7)). No privilege
// is needed for listening.
#pragma once

#include <memory>

#include "streams/descriptor_io.h"
#include "streams/network_io.h"

namespace sidestream {

// nullptr when the kernel, or a sandbox around us, does not let us listen.
std::unique_ptr<AddressWatch> open_address_watch(const asio::any_io_executor& executor);

// What a netlink message of the kernel means for us: an address that others can reach, or a route
// that leads through a gateway, has come or gone. Exposed for tests.
[[nodiscard]] bool tells_of_change(Bytes messages);

}  // namespace sidestream
