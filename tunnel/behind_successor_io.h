// A TCP stack whose WireGuard device belongs to another process now: its packets come and go over
// a link to that one, until its last connection is over.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "streams/event_io.h"
#include "streams/message_link_io.h"
#include "streams/network_io.h"
#include "tunnel/link_messages.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {

class BehindSuccessor {
 public:
  struct Callbacks {
    std::function<void()> stack_changed;  // there are events to be polled
    // The streams are to end now: the successor says so, or is gone and took the tunnel with it.
    std::function<void()> finish;
  };
  // Network and stack outlive it. Packets are at most `mtu` long. `told` are the connections that
  // the successor believes us to have.
  BehindSuccessor(Network& network, TcpStack& stack, std::size_t mtu, std::vector<TcpEnds> told,
                  std::unique_ptr<MessageLink> link, Callbacks callbacks);

  // Moves packets until it is cancelled.
  Task<> run();
  // The stack may have something to send or a new deadline.
  void stack_was_used();

 private:
  Task<> receive_loop();
  Task<> transmit_loop();
  Task<> tell_standing();
  Task<> wait_used();
  void handle_message(Bytes message);
  void handle_packets(Bytes packets);
  // Fills `outgoing_`; false: nothing is due.
  bool collect();

  Network& network_;
  TcpStack& stack_;
  const std::size_t mtu_;
  std::unique_ptr<MessageLink> link_;
  Callbacks callbacks_;
  std::vector<std::uint8_t> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::vector<TcpEnds> told_;  // sorted; what the successor believes that we have
  bool used_ = true;
  Event used_changed_;
};

}  // namespace sidestream::tunnel
