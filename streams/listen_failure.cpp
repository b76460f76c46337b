#include "streams/listen_failure.h"

#include <boost/system/errc.hpp>

namespace sidestream {

namespace errc = boost::system::errc;

std::string explain_listen_failure(const boost::system::error_code& error, std::uint16_t port) {
  const std::string number = std::to_string(port);
  if (error == errc::address_in_use)
    return "another program listens there; `ss -tulpn | grep :" + number +
           "` shows which: stop it, or take another port";
  if (error == errc::permission_denied)
    return "this user may not use so low a port; give the program the capability "
           "CAP_NET_BIND_SERVICE, as the systemd unit does, or run `sysctl "
           "net.ipv4.ip_unprivileged_port_start=" +
           number + "` as root";
  if (error == errc::address_not_available)
    return "this host does not have that address; `ip address` lists those that it has";
  return error.message();
}

}  // namespace sidestream
