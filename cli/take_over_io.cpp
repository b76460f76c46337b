#include "cli/take_over_io.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "control/version.h"
#include "streams/deadline_io.h"
#include "streams/descriptor_passing_io.h"
#include "streams/task_group_io.h"
#include "streams/timer_queue_io.h"

namespace sidestream::cli {
namespace {

// The running process answers at once, or after it has written some megabytes.
constexpr Duration answer_time = 10s;

std::string sentence_of(const system_error& error) {
  if (error.code() == asio::error::eof) return "the running process has closed the conversation";
  if (error.code() == asio::error::timed_out) return "the running process does not answer";
  return error.code().message();
}

}  // namespace

struct TakeOver::Dialogue {
  explicit Dialogue(UniqueFd fd)
      : timers(io.get_executor()), channel(io.get_executor(), std::move(fd)) {}

  // Runs a task to its end. Throws what it throws.
  void run(Task<> task) {
    std::exception_ptr failure;
    TaskGroup group(io.get_executor());
    group.spawn(with_deadline(timers, timers.now() + answer_time, std::move(task)),
                [&](const std::exception_ptr& thrown) { failure = thrown; });
    while (!group.empty()) {
      io.restart();
      io.run_one();
    }
    if (failure) std::rethrow_exception(failure);
  }

  asio::io_context io{1};
  KernelTimers timers;
  FrameChannel channel;
};

namespace {

using Frame = FrameChannel::Frame;

Task<> say(FrameChannel& channel, HandoverFrame kind, const std::string& body) {
  co_await channel.send(static_cast<std::uint8_t>(kind), body);
}

Task<> hear(FrameChannel& channel, Frame& heard) {
  heard = co_await channel.receive();
}

Task<> say_and_hear(FrameChannel& channel, HandoverFrame kind, const std::string& body,
                    Frame& heard) {
  co_await say(channel, kind, body);
  co_await hear(channel, heard);
}

}  // namespace

TakeOver::TakeOver() = default;
TakeOver::TakeOver(TakeOver&&) noexcept = default;
TakeOver::~TakeOver() = default;

std::expected<TakeOver, std::string> TakeOver::begin(const std::string& admin_path,
                                                     std::string_view program) {
  if (admin_path.empty())
    return std::unexpected(
        "taking over needs an admin socket: set `admin` to a path that the running process has "
        "too");
  TakeOver take_over;
  try {
    take_over.dialogue_ =
        std::make_unique<Dialogue>(connect_to_unix_path(handover_path(admin_path)));
    const FrameChannel::Credentials other = take_over.dialogue_->channel.other_end();
    if (other.user != ::geteuid())
      return std::unexpected("who listens at " + handover_path(admin_path) +
                             " is another user's process; take over as that");
    take_over.from_.process = other.process;
  } catch (const system_error& error) {
    return std::unexpected("nobody to take over from at " + handover_path(admin_path) + " (" +
                           error.code().message() + "); without --take-over it starts afresh");
  }
  if (auto asked = take_over.ask(program); !asked) return std::unexpected(asked.error());
  return take_over;
}

std::expected<void, std::string> TakeOver::ask(std::string_view program) {
  control::HandoverHello hello;
  hello.program = program;
  hello.version = control::program_version();
  std::vector<UniqueFd> descriptors;
  Frame frame;
  try {
    dialogue_->run(say_and_hear(dialogue_->channel, HandoverFrame::hello, serialize(hello), frame));
    while (frame.kind == static_cast<std::uint8_t>(HandoverFrame::descriptors)) {
      for (UniqueFd& fd : frame.descriptors) descriptors.push_back(std::move(fd));
      dialogue_->run(hear(dialogue_->channel, frame));
    }
  } catch (const system_error& error) {
    return std::unexpected(sentence_of(error));
  }
  if (frame.kind == static_cast<std::uint8_t>(HandoverFrame::refusal))
    return std::unexpected(frame.body);
  for (UniqueFd& fd : frame.descriptors) descriptors.push_back(std::move(fd));
  auto offer = control::parse_handover_offer(frame.body);
  if (!offer) return std::unexpected("the offer is not understood: " + offer.error());
  if (offer->descriptors.size() != descriptors.size())
    return std::unexpected("the offer lacks descriptors");
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    descriptors_[offer->descriptors[i]] = std::move(descriptors[i]);
  from_.version = std::move(offer->version);
  document_ = std::move(offer->document);
  return {};
}

std::expected<std::string, std::string> TakeOver::exchange(HandoverFrame said,
                                                           HandoverFrame wanted) {
  Frame frame;
  try {
    dialogue_->run(say_and_hear(dialogue_->channel, said, "", frame));
  } catch (const system_error& error) {
    return std::unexpected(sentence_of(error));
  }
  if (frame.kind == static_cast<std::uint8_t>(wanted)) return std::move(frame.body);
  return std::unexpected("the running process says something that was not asked for");
}

std::expected<std::string, std::string> TakeOver::ready() {
  return exchange(HandoverFrame::ready, HandoverFrame::state);
}

std::expected<void, std::string> TakeOver::finish() {
  auto released = exchange(HandoverFrame::running, HandoverFrame::released);
  dialogue_.reset();
  if (!released) return std::unexpected(std::move(released.error()));
  return {};
}

}  // namespace sidestream::cli
