// How a tunnel goes over from one process to the next.
#include <utility>

#include "streams/join_io.h"
#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::tunnel {

Task<> UserspaceTunnel::run() {
  co_await first_of(run_device(), wait_handed_over());
  socket_->close();
  predecessors_.let_go();
  co_await behind_->run();
}

void UserspaceTunnel::pause() {
  paused_ = true;
  connections_at_pause_ = stack_.connections();
  predecessors_.pause();
}

void UserspaceTunnel::resume() {
  paused_ = false;
  predecessors_.resume();
  pause_over_.notify_all();
  stack_was_used();
}

Task<> UserspaceTunnel::wait_handed_over() {
  while (!behind_) co_await handed_over_.wait();
}

void UserspaceTunnel::hand_over(std::unique_ptr<MessageLink> link, std::function<void()> finish) {
  device_.drop_sessions();
  behind_ = std::make_unique<BehindSuccessor>(
      network_, stack_, mtu_, std::move(connections_at_pause_), std::move(link),
      BehindSuccessor::Callbacks{.stack_changed = [this] { handle_stack_events(); },
                                 .finish = std::move(finish)});
  handed_over_.notify_all();
}

}  // namespace sidestream::tunnel
