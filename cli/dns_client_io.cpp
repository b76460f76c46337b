#include "cli/dns_client_io.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "streams/deadline_io.h"

namespace sidestream::cli {
namespace {

constexpr std::uint16_t dns_port = 53;

std::uint16_t make_id(RandomSource& random) {
  return static_cast<std::uint16_t>(random.below(1U << 16U));
}

}  // namespace

DnsClient::DnsClient(Network& network, std::vector<SocketAddress> servers, const DnsLimits& limits)
    : network_(network), servers_(std::move(servers)), limits_(limits) {}

Task<DnsClient::Answer> DnsClient::ask_by_udp(SocketAddress server, ServerName name, DnsType type) {
  const IpAddress any =
      server.address.is_v6() ? *IpAddress::parse("::") : *IpAddress::parse("0.0.0.0");
  const auto socket = network_.open_udp({any, 0});
  const std::uint16_t id = make_id(network_.random());
  auto query = serialize_dns_query(id, name, type);
  socket->send({.remote = server, .bytes = query, .segment_bytes = query.size()});
  for (;;) {
    co_await socket->wait_readable();
    for (const DatagramSocket::Batch& batch : socket->receive()) {
      auto answer = parse_dns_answer(batch.bytes, id, name, type);
      // What is no answer to this question may be forged; the right one may still come.
      if (answer && batch.remote == server) co_return std::move(answer);
    }
  }
}

Task<DnsClient::Answer> DnsClient::ask_by_tcp(SocketAddress server, ServerName name, DnsType type) {
  const auto stream = co_await network_.connect(server, limits_.answer_timeout);
  const std::uint16_t id = make_id(network_.random());
  const auto query = serialize_dns_query(id, name, type);
  // RFC 1035 section 4.2.2: the length goes before.
  std::vector<std::uint8_t> bytes(2 + query.size());
  bytes[0] = static_cast<std::uint8_t>(query.size() >> 8U);
  bytes[1] = static_cast<std::uint8_t>(query.size());
  std::ranges::copy(query, bytes.begin() + 2);
  co_await stream->write_all(bytes);
  std::vector<std::uint8_t> message(2 + (1U << 16U));
  std::size_t have = 0;
  std::size_t want = 2;
  while (have < want) {
    const std::size_t count =
        co_await stream->read_some(MutableBytes(message).subspan(have, want - have));
    if (count == 0) co_return std::unexpected("the answer of " + server.text() + " is cut short");
    have += count;
    if (have == 2) want = 2U + (static_cast<std::size_t>(message[0]) << 8U) + message[1];
  }
  auto answer = parse_dns_answer(Bytes(message).subspan(2, want - 2), id, name, type);
  if (!answer) co_return std::unexpected("what " + server.text() + " says " + answer.error());
  co_return std::move(answer);
}

Task<DnsClient::Answer> DnsClient::ask_server(SocketAddress server, ServerName name, DnsType type) {
  std::string problem;
  try {
    Task<Answer> asking = ask_by_udp(server, name, type);
    Answer answer =
        co_await with_timeout(network_.timers(), limits_.answer_timeout, std::move(asking));
    if (answer && answer->truncated) {
      Task<Answer> again = ask_by_tcp(server, name, type);
      answer = co_await with_timeout(network_.timers(), limits_.answer_timeout, std::move(again));
    }
    co_return std::move(answer);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    problem = error.code().message();
  }
  co_return std::unexpected("the name server " + server.text() + " does not answer (" + problem +
                            ")");
}

Task<DnsClient::Answer> DnsClient::ask(ServerName name, DnsType type) {
  constexpr unsigned server_failure = 2;
  Answer answer = std::unexpected("there is no name server");
  for (int round = 0; round < limits_.rounds; ++round)
    for (const SocketAddress& server : servers_) {
      Task<Answer> asking = ask_server(server, name, type);
      answer = co_await std::move(asking);
      if (answer && answer->code != server_failure) co_return std::move(answer);
    }
  co_return std::move(answer);
}

std::vector<SocketAddress> name_servers_of_system() {
  std::vector<SocketAddress> servers;
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    words >> key >> value;
    const auto address = IpAddress::parse(value);
    if (key == "nameserver" && address) servers.push_back({*address, dns_port});
  }
  if (servers.empty()) servers.push_back({*IpAddress::parse("127.0.0.1"), dns_port});
  return servers;
}

}  // namespace sidestream::cli
