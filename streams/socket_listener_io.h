// Listeners on kernel sockets.
#pragma once

#include <sys/types.h>

#include <string>

#include "streams/descriptor_io.h"
#include "streams/network_io.h"

namespace sidestream {

class SocketListener : public Listener {
 public:
  // `fd` listens already.
  SocketListener(const asio::any_io_executor& executor, UniqueFd fd);

  // Throws too_many_files_open (EMFILE, ENFILE), no_memory, no_buffer_space or operation_aborted.
  Task<std::unique_ptr<Stream>> accept() override;
  // The same without making a stream of it.
  struct Accepted {
    UniqueFd fd;
    SocketAddress remote;
  };
  Task<Accepted> accept_descriptor();
  [[nodiscard]] int descriptor() override { return descriptor_.fd(); }
  void close() noexcept override { descriptor_.close(); }
  [[nodiscard]] SocketAddress local_address() const override { return local_; }

 private:
  asio::any_io_executor executor_;
  Descriptor descriptor_;
  SocketAddress local_;
  int accepted_without_waiting_ = 0;
};

// Throws system_error.
std::unique_ptr<Listener> listen_tcp(const asio::any_io_executor& executor,
                                     const SocketAddress& local, const ListenOptions& options);

// The same at a place of its own.
std::unique_ptr<Listener> listen_at_place(const asio::any_io_executor& executor,
                                          const SocketPlace& place, std::uint16_t port);

// Removes its socket file when it is closed, unless somebody else's stands there meanwhile.
// Throws system_error: address_in_use when somebody serves the path or something that is no
// socket stands there.
std::unique_ptr<Listener> listen_on_unix_path(const asio::any_io_executor& executor,
                                              const std::string& path, unsigned mode);

}  // namespace sidestream
