// LISTEN: a port, and the connections that came for it and that nobody was told of yet.
#pragma once

#include <cstdint>

#include "tunnel/connection_table.h"

namespace sidestream::tunnel {

struct TcpListener {
  std::uint16_t port = 0;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::backlog_link> half_open;  // SYN-RECEIVED
  std::size_t half_open_count = 0;
  IntrusiveList<ConnectionEntry, &ConnectionEntry::backlog_link> unannounced;  // `accepted` to come
  std::size_t unannounced_count = 0;
};

}  // namespace sidestream::tunnel
