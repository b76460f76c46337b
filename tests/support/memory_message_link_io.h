// Two ends of a message link in one process, with as much room as a socket has.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "streams/event_io.h"
#include "streams/message_link_io.h"

namespace sidestream {

class MemoryMessageLink final : public MessageLink {
 public:
  static constexpr std::size_t room_bytes = 200'000;

  static std::pair<std::unique_ptr<MemoryMessageLink>, std::unique_ptr<MemoryMessageLink>> pair() {
    const auto one = std::make_shared<Direction>();
    const auto other = std::make_shared<Direction>();
    return {std::make_unique<MemoryMessageLink>(one, other),
            std::make_unique<MemoryMessageLink>(other, one)};
  }

  // Shared, since either end may die first.
  struct Direction {
    std::deque<std::vector<std::uint8_t>> messages;
    std::size_t bytes = 0;
    bool ended = false;
    Event readable;
    Event writable;
  };

  MemoryMessageLink(std::shared_ptr<Direction> in, std::shared_ptr<Direction> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~MemoryMessageLink() override { close(); }
  // As if this end went to another process: it stays open when this object is closed.
  std::unique_ptr<MemoryMessageLink> give_away() {
    given_away_ = true;
    return std::make_unique<MemoryMessageLink>(in_, out_);
  }

  Task<> wait_readable() override {
    while (in_->messages.empty() && !in_->ended) co_await in_->readable.wait();
  }
  MutableBytes receive() override {
    if (in_->messages.empty()) return {};
    received_ = std::move(in_->messages.front());
    in_->messages.pop_front();
    in_->bytes -= received_.size();
    in_->writable.notify_all();
    return received_;
  }
  [[nodiscard]] bool ended() const override { return in_->ended && in_->messages.empty(); }
  bool send(Bytes message) override {
    if (out_->ended) return true;
    if (out_->bytes + message.size() > room_bytes) return false;
    out_->messages.emplace_back(message.begin(), message.end());
    out_->bytes += message.size();
    out_->readable.notify_all();
    return true;
  }
  Task<> wait_writable() override {
    while (out_->bytes > room_bytes / 2 && !out_->ended) co_await out_->writable.wait();
  }
  void close() noexcept override {
    if (given_away_) return;
    for (Direction* const direction : {in_.get(), out_.get()}) {
      direction->ended = true;
      direction->readable.notify_all();
      direction->writable.notify_all();
    }
  }
  [[nodiscard]] int descriptor() override { return -1; }

 private:
  std::shared_ptr<Direction> in_;
  std::shared_ptr<Direction> out_;
  std::vector<std::uint8_t> received_;
  bool given_away_ = false;
};

}  // namespace sidestream
