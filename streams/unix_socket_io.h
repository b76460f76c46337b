// What is special about Unix sockets: paths, and the files that they leave behind.
#pragma once

#include <sys/types.h>

#include <string>

#include "streams/socket_address_io.h"
#include "streams/socket_listener_io.h"

namespace sidestream {

// Throws filename_too_long when the kernel has no room for `path` (107 bytes).
[[nodiscard]] KernelAddress unix_address(const std::string& path);

class UnixListener final : public SocketListener {
 public:
  UnixListener(const asio::any_io_executor& executor, UniqueFd fd, std::string path);
  ~UnixListener() override;
  void close() noexcept override;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace sidestream
