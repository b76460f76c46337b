#include "control/tunnel_handover_io.h"

#include <fcntl.h>

#include <utility>

namespace sidestream::control {
namespace {

UniqueFd copy_of(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_error(last_system_error(), "dup");
  return copy;
}

std::string link_name(const std::string& prefix) {
  return prefix + "link";
}

std::string link_name(const std::string& prefix, const tunnel::PredecessorFacts& predecessor) {
  return prefix + "predecessor " + std::to_string(predecessor.process);
}

}  // namespace

std::string datagram_socket_name(const std::string& prefix) {
  return prefix + "udp";
}

std::unique_ptr<MessageLink> offer_tunnel(tunnel::WireGuardTunnel& tunnel,
                                          const asio::any_io_executor& executor,
                                          const std::string& prefix, NamedDescriptors& offered) {
  offered[datagram_socket_name(prefix)] = copy_of(tunnel.descriptor());
  for (const auto& predecessor : tunnel.predecessors().describe())
    offered[link_name(prefix, predecessor.facts)] = copy_of(predecessor.link);
  auto [older, newer] = open_message_link();
  offered[link_name(prefix)] = std::move(newer);
  return std::make_unique<KernelMessageLink>(executor, std::move(older));
}

TunnelHandover describe_tunnel(const tunnel::WireGuardTunnel& tunnel) {
  TunnelHandover handover;
  handover.last_timestamp = tunnel.last_timestamp();
  handover.connections = tunnel.connections();
  for (auto& predecessor : tunnel.predecessors().describe())
    handover.predecessors.push_back({predecessor.facts, std::move(predecessor.connections)});
  return handover;
}

void adopt_streams(tunnel::WireGuardTunnel& tunnel, const asio::any_io_executor& executor,
                   const TunnelHandover& handover, const tunnel::PredecessorFacts& last,
                   const std::string& prefix, NamedDescriptors& descriptors) {
  const auto adopt = [&](const tunnel::PredecessorFacts& facts,
                         const std::vector<tunnel::TcpEnds>& connections, const std::string& name) {
    const auto link = descriptors.find(name);
    if (link == descriptors.end()) return;
    tunnel.predecessors().adopt(
        {facts, connections,
         std::make_unique<KernelMessageLink>(executor, std::move(link->second))});
    descriptors.erase(link);
  };
  for (const TunnelHandover::Predecessor& one : handover.predecessors)
    adopt(one.facts, one.connections, link_name(prefix, one.facts));
  adopt(last, handover.connections, link_name(prefix));
  tunnel.set_last_timestamp(handover.last_timestamp);
}

std::vector<PredecessorStatus> status_of(const tunnel::Predecessors& predecessors) {
  std::vector<PredecessorStatus> all;
  for (const tunnel::PredecessorStatus& one : predecessors.status())
    all.push_back({one.facts.process, one.facts.version, one.streams});
  return all;
}

}  // namespace sidestream::control
