#include "cli/handover_io.h"

#include <unistd.h>

#include <utility>

#include "control/version.h"
#include "streams/deadline_io.h"

namespace sidestream::cli {
namespace {

constexpr unsigned socket_mode = 0600;
constexpr Duration hello_time = 5s;
constexpr Duration preparation_time = 60s;  // reading configuration and state
// While everything stands still.
constexpr Duration transfer_time = 3s;

std::uint8_t number_of(HandoverFrame kind) {
  return static_cast<std::uint8_t>(kind);
}

}  // namespace

Handover::Handover(Network& network, const std::string& path, HandoverSource source, const Log& log)
    : network_(network), source_(std::move(source)), log_(log), path_(path) {
  if (path.empty()) return;
  try {
    listener_ = network_.listen_unix(path, socket_mode);
  } catch (const system_error& error) {
    log_.warn("no other process will be able to take over",
              {{"path", path}, {"why", error.code().message()}});
  }
}

Task<> Handover::run() {
  Event never;
  while (!listener_) co_await never.wait();
  auto& listener = dynamic_cast<SocketListener&>(*listener_);
  while (!successor_) {
    SocketListener::Accepted accepted;
    try {
      accepted = co_await listener.accept_descriptor();
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
    }
    if (accepted.fd)
      co_await serve(std::move(accepted.fd));  // one at a time
    else
      co_await network_.timers().sleep_for(1s);
  }
}

Task<> Handover::serve(UniqueFd fd) {
  auto channel = std::make_unique<FrameChannel>(network_.executor(), std::move(fd));
  bool offered = false;
  std::string why;
  try {
    if (channel->other_end().user != ::geteuid())
      co_return co_await refuse(*channel,
                                "the running process is another user's; take over as that");
    const std::string text = co_await expect(*channel, HandoverFrame::hello, hello_time);
    const auto hello = control::parse_handover_hello(text);
    if (!hello) co_return co_await refuse(*channel, "hello: " + hello.error());
    offered = co_await offer(*channel, *hello);
    if (!offered) co_return;
    co_await transfer(*channel);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    why = error.code() == asio::error::eof ? "the next process has gone" : error.code().message();
  }
  if (!offered) co_return;  // nobody who meant it
  if (why.empty()) {
    source_.commit();
    done_ = true;
    successor_ = std::move(channel);
    co_return;
  }
  source_.call_off();
  log_.warn("not handed over, everything goes on here", {{"why", why}});
}

Task<bool> Handover::offer(FrameChannel& channel, const control::HandoverHello& hello) {
  if (hello.protocol != control::handover_protocol) {
    co_await refuse(channel, "version " + std::string(control::program_version()) +
                                 " runs and can only hand over to a version that speaks its " +
                                 "protocol; stop it and start the new one");
    co_return false;
  }
  if (hello.program != source_.program) {
    co_await refuse(channel, "the one that runs is " + source_.program + ", not " + hello.program);
    co_return false;
  }
  auto offer = source_.offer();
  if (!offer) {
    co_await refuse(channel, offer.error());
    co_return false;
  }
  log_.info("another process wants to take over",
            {{"process", channel.other_end().process}, {"version", hello.version}});
  error_code failure;
  try {
    co_await send_offer(channel, std::move(*offer));
  } catch (const system_error& error) {
    failure = error.code();
  }
  if (!failure) co_return true;
  source_.call_off();
  throw_error(failure, "offer");
}

Task<> Handover::send_offer(FrameChannel& channel, HandoverSource::Offer offer) {
  control::HandoverOffer message;
  message.version = control::program_version();
  message.document = std::move(offer.document);
  std::vector<int> descriptors;
  for (const auto& [name, fd] : offer.descriptors) {
    message.descriptors.push_back(name);
    descriptors.push_back(fd.get());
    if (descriptors.size() < FrameChannel::descriptors_max) continue;
    co_await channel.send(number_of(HandoverFrame::descriptors), "", descriptors);
    descriptors.clear();
  }
  const std::string text = serialize(message);
  co_await channel.send(number_of(HandoverFrame::offer), text, descriptors);
}

// Everything stands still between `state` and `running`.
Task<> Handover::transfer(FrameChannel& channel) {
  co_await expect(channel, HandoverFrame::ready, preparation_time);
  const std::string state = source_.freeze();
  Task<> sending = channel.send(number_of(HandoverFrame::state), state);
  co_await with_deadline(network_.timers(), network_.timers().now() + transfer_time,
                         std::move(sending));
  co_await expect(channel, HandoverFrame::running, transfer_time);
}

Task<std::string> Handover::expect(FrameChannel& channel, HandoverFrame kind, Duration timeout) {
  Task<FrameChannel::Frame> receiving = channel.receive();
  FrameChannel::Frame frame =
      co_await with_timeout(network_.timers(), timeout, std::move(receiving));
  if (frame.kind != number_of(kind))
    throw_error(make_error_code(boost::system::errc::bad_message), "frame");
  co_return std::move(frame.body);
}

Task<> Handover::refuse(FrameChannel& channel, std::string why) {
  log_.warn("nothing is handed over", {{"why", why}});
  Task<> sending = channel.send(number_of(HandoverFrame::refusal), why);
  co_await with_deadline(network_.timers(), network_.timers().now() + hello_time,
                         std::move(sending));
}

Task<> Handover::release() {
  listener_.reset();
  if (!successor_) co_return;
  try {
    co_await successor_->send(number_of(HandoverFrame::released), "");
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    log_.error("the next process has gone after it took over", {});
  }
  successor_.reset();
}

}  // namespace sidestream::cli
