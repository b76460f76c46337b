#include "cli/tunnel_choice_io.h"

#include <stdexcept>

#include "tunnel/interface_messages_io.h"
#include "tunnel/kernel_tunnel_io.h"

namespace sidestream::cli {
namespace {

using control::TunnelMode;
using tunnel::UserspaceTunnelConfiguration;
using tunnel::WireGuardTunnel;

constexpr std::string_view one_address_only =
    "the kernel's WireGuard listens at all addresses of this host, and `tunnel.listen` names one";

// `0.0.0.0` is one that the kernel's interface serves as well.
bool names_one_address(const SocketAddress& listen) {
  return !listen.address.is_unspecified();
}

std::unique_ptr<WireGuardTunnel> make_kernel_tunnel(
    Network& network, const UserspaceTunnelConfiguration& configuration) {
  if (names_one_address(configuration.listen))
    throw std::runtime_error(std::string(one_address_only));
  return std::make_unique<tunnel::KernelTunnel>(
      network, configuration,
      tunnel::make_wireguard_interface({.private_key = configuration.private_key,
                                        .address = configuration.address,
                                        .port = configuration.listen.port,
                                        .mtu = configuration.mtu}));
}

// The kernel, or else user space.
class EitherTunnel {
 public:
  EitherTunnel(const Log& log, std::uint16_t port) : log_(&log), port_(port) {}

  std::unique_ptr<WireGuardTunnel> operator()(Network& network,
                                              const UserspaceTunnelConfiguration& configuration) {
    try {
      std::unique_ptr<WireGuardTunnel> made = make_kernel_tunnel(network, configuration);
      try_port(*made);
      return made;
    } catch (const std::runtime_error& why) {  // system_error is one
      if (!*told_) log_->info("the tunnel runs in user space", {{"why", why.what()}});
      *told_ = true;
      return tunnel::make_userspace_tunnel(network, configuration);
    }
  }

 private:
  void try_port(WireGuardTunnel& made) const {
    try {
      made.listen(port_);
    } catch (const system_error& error) {
      throw std::runtime_error("in the kernel's, TCP port " + std::to_string(port_) +
                               " cannot be had: " + error.code().message());
    }
  }

  const Log* log_;
  std::uint16_t port_;
  // Shared by the copies that each edge of a sidecar has.
  std::shared_ptr<bool> told_ = std::make_shared<bool>(false);
};

}  // namespace

tunnel::MakeWireGuardTunnel tunnel_maker(const control::TunnelSettings& settings, const Log& log,
                                         std::uint16_t port, bool taking_over) {
  switch (settings.mode) {
    case TunnelMode::automatic:
      if (taking_over) return tunnel::make_userspace_tunnel;
      return EitherTunnel(log, port);
    case TunnelMode::userspace:
      return tunnel::make_userspace_tunnel;
    case TunnelMode::kernel:
      return make_kernel_tunnel;
    case TunnelMode::interface:
      return [name = settings.interface](Network& network,
                                         const UserspaceTunnelConfiguration& configuration) {
        return std::make_unique<tunnel::KernelTunnel>(
            network, configuration, tunnel::use_wireguard_interface(name, configuration.address));
      };
  }
  return tunnel::make_userspace_tunnel;
}

std::string expected_tunnel(const control::TunnelSettings& settings, const SocketAddress& listen) {
  if (settings.mode == TunnelMode::userspace) return "user space, as the file says";
  if (settings.mode == TunnelMode::interface)
    return tunnel::find_interface(settings.interface)
               ? "the interface " + settings.interface
               : "the interface " + settings.interface + ", which is not there";
  auto usable = names_one_address(listen)
                    ? std::expected<void, std::string>(std::unexpected(one_address_only))
                    : tunnel::probe_kernel_wireguard();
  if (usable) return "the kernel";
  if (settings.mode == TunnelMode::kernel) return "none: " + usable.error();
  return "user space: " + usable.error();
}

}  // namespace sidestream::cli
