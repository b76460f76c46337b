#include "tests/support/tun_device_io.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace sidestream {

int open_tun_device(std::string_view name) {
  const int device = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) throw std::system_error(errno, std::system_category(), "/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  name.substr(0, IFNAMSIZ - 1).copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(device, TUNSETIFF, &request) < 0) {
    const std::system_error problem(errno, std::system_category(), std::string(name));
    ::close(device);
    throw problem;
  }
  return device;
}

}  // namespace sidestream
