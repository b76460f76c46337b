// The older process's side of a hand-over: it listens for a next process, and goes on as before
// whenever something fails until the very end.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "cli/handover_dialogue.h"
#include "control/tunnel_handover_io.h"
#include "streams/descriptor_passing_io.h"
#include "streams/log_io.h"
#include "streams/network_io.h"
#include "streams/socket_listener_io.h"

namespace sidestream::cli {

// What a program does for it. From a successful offer() on until commit() or call_off() its
// configuration and state stay as they are.
struct HandoverSource {
  struct Offer {
    std::string document;
    control::NamedDescriptors descriptors;
  };
  std::string program;  // `edge` or `sidecar`
  // The error is a sentence.
  std::function<std::expected<Offer, std::string>()> offer;
  // Stands still from now on; what the next process has to know.
  std::function<std::string()> freeze;
  // The next process has it all: nothing is accepted any more, live streams go on.
  std::function<void()> commit;
  // As if nothing had been.
  std::function<void()> call_off;
};

class Handover {
 public:
  // `source` has all its functions. Listens at `path`; what that makes impossible is told, and then
  // nobody can take over.
  Handover(Network& network, const std::string& path, HandoverSource source, const Log& log);

  // Returns when the program was handed over; what is in the next one's way (admin addresses) has
  // to go before release().
  Task<> run();
  // Lets the next process begin.
  Task<> release();
  // run() has returned.
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Task<> serve(UniqueFd fd);
  Task<bool> offer(FrameChannel& channel, const control::HandoverHello& hello);
  Task<> send_offer(FrameChannel& channel, HandoverSource::Offer offer);
  Task<> transfer(FrameChannel& channel);
  Task<std::string> expect(FrameChannel& channel, HandoverFrame kind, Duration timeout);
  Task<> refuse(FrameChannel& channel, std::string why);

  Network& network_;
  HandoverSource source_;
  const Log& log_;
  const std::string path_;
  bool done_ = false;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<FrameChannel> successor_;
};

}  // namespace sidestream::cli
