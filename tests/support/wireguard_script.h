// Bytes as a script of what two devices and the network between them do: for fuzzing.
#pragma once

#include <set>

#include "tests/support/wireguard_network.h"

namespace sidestream::tunnel {

class WireGuardScript {
 public:
  WireGuardScript();
  // Aborts when something comes out of a tunnel that did not go in, or comes out twice.
  void run(Bytes script);

 private:
  void step(ByteReader& script);
  void send(Host& from, const IpAddress& source, const IpAddress& destination);
  void deliver(Datagram datagram);
  void inject(ByteReader& script, bool with_good_macs);
  void check(Host& host, const IpAddress& source);

  TwoHosts hosts_;
  std::vector<Datagram> in_flight_;
  std::set<std::vector<std::uint8_t>> sent_;
  int packets_ = 0;
};

}  // namespace sidestream::tunnel
