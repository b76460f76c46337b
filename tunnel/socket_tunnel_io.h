// A tunnel whose streams are kernel TCP: the device is the kernel's, or belongs to another program,
// and has an address of ours. Nothing here makes, configures or watches it.
#pragma once

#include <list>
#include <memory>

#include "streams/network_io.h"
#include "tunnel/tunnel_io.h"

namespace sidestream::tunnel {

class SocketTunnel : public Tunnel {
 public:
  // `network` outlives the tunnel, the tunnel all its streams and listeners. What a stream's remote
  // address proves is up to the device: name it in `place`, so that no other one brings streams in.
  SocketTunnel(Network& network, SocketPlace place) : network_(network), place_(std::move(place)) {}

  [[nodiscard]] IpAddress address() const override { return place_.address; }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override;
  std::unique_ptr<Listener> listen(std::uint16_t port) override;

  [[nodiscard]] const SocketPlace& place() const { return place_; }
  // Streams that live, in both directions.
  [[nodiscard]] std::size_t stream_count() const { return streams_.size(); }
  // The program at the other end, `peer`, was started again: streams that came from there end as
  // reset.
  void end_accepted_streams(const IpAddress& peer);

  // ---- for its streams -----------------------------------------------------------------------
  struct Live {
    Stream* stream;  // not owned
    bool accepted;
  };
  using Place = std::list<Live>::iterator;
  Place attach(Stream& stream, bool accepted) {
    return streams_.insert(streams_.end(), {&stream, accepted});
  }
  void detach(Place place) { streams_.erase(place); }

 private:
  Network& network_;
  const SocketPlace place_;
  std::list<Live> streams_;
};

}  // namespace sidestream::tunnel
