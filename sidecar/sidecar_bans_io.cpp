// Clients that are served by nobody here for a time, because somebody at home said so.
#include <algorithm>
#include <functional>

#include "sidecar/sidecar_io.h"

namespace sidestream::sidecar {
namespace {

constexpr std::string_view bans_file = "bans.json";

// Those whose time is up last are worth most to an edge that takes only so many.
std::vector<control::Ban> told_bans(const control::BanList& list) {
  std::vector<control::Ban> bans = list.bans();
  std::ranges::stable_sort(bans, std::ranges::greater(), &control::Ban::until);
  bans.resize(std::min(bans.size(), control::BanLimits{}.bans_told_max));
  return bans;
}

}  // namespace

void Sidecar::tell_bans() {
  bans_.forget_expired(network_.timers().now());
  for (const auto& link : links_) link->link->bans_changed(told_bans(bans_));
}

bool Sidecar::is_banned(const IpAddress& client) const {
  return bans_.covers(network_.timers().now(), client);
}

std::expected<std::size_t, std::string> Sidecar::ban(const IpPrefix& network,
                                                     std::chrono::seconds time) {
  if (!bans_.ban(network_.timers().now(), network, time))
    return std::unexpected("there are " + std::to_string(bans_.size()) +
                           " bans already, which is as many as there can be; ban networks instead "
                           "of addresses, or for a shorter time");
  std::size_t streams = 0;
  for (const auto& service : services_) streams += service->cut_streams_of(network);
  for (const auto& service : retired_) streams += service->cut_streams_of(network);
  log_.info("client banned", {{"network", network.text()},
                              {"time", Duration(time)},
                              {"streams_cut", std::uint64_t{streams}}});
  tell_bans();
  keep_bans();
  return streams;
}

bool Sidecar::unban(const IpPrefix& network) {
  if (!bans_.unban(network)) return false;
  log_.info("client no longer banned", {{"network", network.text()}});
  tell_bans();
  keep_bans();
  return true;
}

void Sidecar::load_bans() {
  if (state_ == nullptr) return;
  const auto file = state_->read(bans_file);
  const auto kept = !file ? std::unexpected(file.error())
                          : control::parse_kept_bans(file->value_or(R"({"written":0,"bans":[]})"));
  if (!kept) return log_.warn("bans not read", {{"why", kept.error()}});
  const WallTime now = network_.timers().wall_now();
  // A clock that went back makes no ban longer.
  const Duration passed = std::max(now - kept->written, Duration::zero());
  for (const control::BannedNetwork& one : kept->networks)
    if (passed < one.left) bans_.ban(network_.timers().now(), one.network, one.left - passed);
}

void Sidecar::keep_bans() const {
  if (state_ == nullptr || handed_over_) return;
  const auto kept = state_->write(
      bans_file, serialize(control::KeptBans{
                     .written = network_.timers().wall_now(),
                     .networks = control::banned_networks(bans_, network_.timers().now())}));
  if (!kept) log_.warn("bans not kept", {{"why", kept.error()}});
}

}  // namespace sidestream::sidecar
