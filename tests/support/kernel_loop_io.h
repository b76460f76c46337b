// An io_context with the real network, for tests on loopback. Every run is bounded in time.
#pragma once

#include <stdexcept>

#include "streams/kernel_network_io.h"
#include "tests/support/pending_io.h"

namespace sidestream {

class KernelLoop {
 public:
  KernelLoop() : network_(io_) {}
  KernelLoop(const KernelLoop&) = delete;
  KernelLoop& operator=(const KernelLoop&) = delete;

  asio::any_io_executor executor() { return io_.get_executor(); }
  KernelNetwork& network() { return network_; }
  Timers& timers() { return network_.timers(); }

  // The task runs up to where it first waits, and on whenever the loop does.
  template <typename T>
  Pending<T> start(Task<T> task) {
    return Pending<T>(executor(), std::move(task), [this] { run_for(100ms); });
  }

  // Runs everything for a while; ends earlier when nothing is left to do.
  void run_for(Duration time) {
    io_.restart();
    io_.run_for(time);
  }

  // Runs until this task is done. Throws logic_error after ten seconds.
  template <typename T>
  void finish(Pending<T>& pending) {
    const Instant end = timers().now() + 10s;
    while (!pending.done()) {
      io_.restart();
      io_.run_one_for(100ms);
      if (timers().now() > end) throw std::logic_error("the task does not come to its end");
    }
  }

  template <typename T>
  T run(Task<T> task) {
    Pending<T> pending = start(std::move(task));
    finish(pending);
    if constexpr (std::is_void_v<T>) {
      pending.result();
    } else {
      return std::move(pending.result());
    }
  }

 private:
  asio::io_context io_{1};
  KernelNetwork network_;
};

}  // namespace sidestream
