// Asks name servers what the system's resolver does not tell.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cli/dns_message.h"
#include "streams/network_io.h"

namespace sidestream::cli {

struct DnsLimits {
  Duration answer_timeout = 2s;
  int rounds = 2;  // over all servers
};

class DnsClient {
 public:
  // `network` outlives it. There is at least one server; they are asked in this order.
  DnsClient(Network& network, std::vector<SocketAddress> servers, const DnsLimits& limits = {});

  // By UDP, and by TCP when the answer is too long. The error is one line for a person. Throws only
  // when it is cancelled.
  Task<std::expected<DnsAnswer, std::string>> ask(ServerName name, DnsType type);

 private:
  using Answer = std::expected<DnsAnswer, std::string>;
  Task<Answer> ask_server(SocketAddress server, ServerName name, DnsType type);
  Task<Answer> ask_by_udp(SocketAddress server, ServerName name, DnsType type);
  Task<Answer> ask_by_tcp(SocketAddress server, ServerName name, DnsType type);

  Network& network_;
  const std::vector<SocketAddress> servers_;
  const DnsLimits limits_;
};

// The servers of /etc/resolv.conf; the local host's, if it names none.
[[nodiscard]] std::vector<SocketAddress> name_servers_of_system();

}  // namespace sidestream::cli
