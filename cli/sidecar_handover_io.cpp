#include "cli/sidecar_handover_io.h"

#include <utility>

namespace sidestream::cli {
namespace {

constexpr std::string_view program = "sidecar";

std::unexpected<std::string> not_taken_over(const std::string& why) {
  return std::unexpected("not taken over: " + why);
}

}  // namespace

HandoverSource handover_source(sidecar::Sidecar& sidecar) {
  HandoverSource source;
  source.program = program;
  source.offer = [&]() -> std::expected<HandoverSource::Offer, std::string> {
    auto offer = sidecar.offer_handover();
    if (!offer) return std::unexpected(offer.error());
    return HandoverSource::Offer{serialize(offer->facts), std::move(offer->descriptors)};
  };
  source.freeze = [&] { return serialize(sidecar.freeze_handover()); };
  source.commit = [&] { sidecar.commit_handover(); };
  source.call_off = [&] { sidecar.call_off_handover(); };
  return source;
}

std::expected<SidecarTakeOver, std::string> begin_taking_over(
    const std::string& admin_path, const std::vector<sidecar::EdgeEntry>& edges,
    KernelNetwork& network) {
  auto dialogue = TakeOver::begin(admin_path, program);
  if (!dialogue) return not_taken_over(dialogue.error());
  auto offer = sidecar::parse_sidecar_offer(dialogue->document());
  if (!offer) return not_taken_over(offer.error());
  if (const std::string edge = missing_edge(*offer, edges); !edge.empty())
    return not_taken_over("the running sidecar has the edge " + edge +
                          ", this one has not; take it out and reload the running one first");
  try {
    for (const sidecar::SidecarOffer::Link& link : offer->links) {
      const auto socket = dialogue->descriptors().find(
          control::datagram_socket_name(sidecar::Sidecar::descriptor_prefix(link.id)));
      if (socket != dialogue->descriptors().end())
        network.inherit_datagram_socket(std::move(socket->second));
    }
  } catch (const system_error& error) {
    return not_taken_over("a socket that came is none: " + error.code().message());
  }
  return SidecarTakeOver{std::move(*dialogue), std::move(*offer)};
}

std::expected<void, std::string> finish_taking_over(SidecarTakeOver& take_over,
                                                    KernelNetwork& network,
                                                    sidecar::Sidecar& sidecar) {
  TakeOver& dialogue = take_over.dialogue;
  const auto state = dialogue.ready();
  if (!state) return not_taken_over(state.error());
  const auto handover = sidecar::parse_sidecar_handover(*state);
  if (!handover) return not_taken_over(handover.error());
  try {
    sidecar.go_on(*handover, dialogue.from(), dialogue.descriptors());
  } catch (const system_error& error) {
    return not_taken_over(error.code().message());
  }
  if (auto finished = dialogue.finish(); !finished) return not_taken_over(finished.error());
  network.close_unclaimed();
  return {};
}

}  // namespace sidestream::cli
