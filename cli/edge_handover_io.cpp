#include "cli/edge_handover_io.h"

#include <fcntl.h>

#include <utility>

#include "streams/socket_address_io.h"

namespace sidestream::cli {
namespace {

constexpr std::string_view program = "edge";

// A socket that somebody else keeps open, such as systemd.
std::string held_name(std::uint16_t port) {
  return "held " + std::to_string(port);
}

void offer_held(KernelNetwork& network, control::NamedDescriptors& descriptors) {
  for (const int held : network.held_listeners()) {
    UniqueFd copy(::fcntl(held, F_DUPFD_CLOEXEC, 0));
    if (!copy) throw_error(last_system_error(), "dup");
    const std::uint16_t port = bound_address(copy.get()).port;
    descriptors.erase(edge::Edge::listener_name(port));  // the same socket
    descriptors[held_name(port)] = std::move(copy);
  }
}

void inherit(control::NamedDescriptors& descriptors, KernelNetwork& network) {
  for (auto& [name, fd] : descriptors) {
    if (name == control::datagram_socket_name(""))
      network.inherit_datagram_socket(std::move(fd));
    else if (name.starts_with("held "))
      network.inherit_listener(std::move(fd), true);
    else if (name.starts_with("listener "))
      network.inherit_listener(std::move(fd), false);
  }
}

}  // namespace

HandoverSource handover_source(edge::Edge& edge, KernelNetwork& network) {
  HandoverSource source;
  source.program = program;
  source.offer = [&]() -> std::expected<HandoverSource::Offer, std::string> {
    auto offer = edge.offer_handover();
    if (!offer) return std::unexpected(offer.error());
    try {
      offer_held(network, offer->descriptors);
    } catch (const system_error& error) {
      edge.call_off_handover();
      return std::unexpected("the running edge has no descriptors left: " + error.code().message());
    }
    return HandoverSource::Offer{serialize(offer->identity), std::move(offer->descriptors)};
  };
  source.freeze = [&] { return serialize(edge.freeze_handover()); };
  source.commit = [&] { edge.commit_handover(); };
  source.call_off = [&] { edge.call_off_handover(); };
  return source;
}

std::expected<TakeOver, std::string> begin_taking_over(const std::string& admin_path,
                                                       KernelNetwork& network) {
  auto take_over = TakeOver::begin(admin_path, program);
  if (!take_over) return std::unexpected("not taken over: " + take_over.error());
  try {
    inherit(take_over->descriptors(), network);
  } catch (const system_error& error) {
    return std::unexpected("not taken over: a socket that came is none: " + error.code().message());
  }
  return take_over;
}

std::expected<void, std::string> finish_taking_over(TakeOver& take_over, KernelNetwork& network,
                                                    edge::Edge& edge) {
  const auto identity = edge::parse_edge_identity(take_over.document());
  if (!identity) return std::unexpected("not taken over: " + identity.error());
  if (const std::string keys = difference(*identity, edge.identity()); !keys.empty())
    return std::unexpected("not taken over: the running edge has another value of " + keys +
                           "; that can only be changed by a stop and a start");
  const auto state = take_over.ready();
  if (!state) return std::unexpected("not taken over: " + state.error());
  const auto handover = edge::parse_edge_handover(*state);
  if (!handover) return std::unexpected("not taken over: " + handover.error());
  try {
    edge.take_over(*handover, take_over.from(), take_over.descriptors());
  } catch (const system_error& error) {
    return std::unexpected("not taken over: " + error.code().message());
  }
  if (auto finished = take_over.finish(); !finished)
    return std::unexpected("not taken over: " + finished.error());
  edge.go_on(*handover, take_over.from());
  network.close_unclaimed();
  return {};
}

}  // namespace sidestream::cli
