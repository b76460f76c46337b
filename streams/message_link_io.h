// Two processes of one host that exchange whole messages: in order, and without losing one unless a
// process ends.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "streams/descriptor_io.h"

namespace sidestream {

inline constexpr std::size_t link_message_bytes_max = 32768;

// One end. Errors of the operations, and what cancelling does, are those of Stream.
class MessageLink {
 public:
  MessageLink() = default;
  MessageLink(const MessageLink&) = delete;
  MessageLink& operator=(const MessageLink&) = delete;
  virtual ~MessageLink() = default;

  // Returns when receive() would give something, or the other end is gone.
  virtual Task<> wait_readable() = 0;
  // The next message, without waiting; empty: none is there now. The view is valid until the next
  // call, its bytes may be changed.
  virtual MutableBytes receive() = 0;
  // Nothing will ever come again, and nothing that is sent arrives.
  [[nodiscard]] virtual bool ended() const = 0;
  // Never waits; false: no room now (wait_writable and try again). `message` is not empty and has
  // at most link_message_bytes_max. What cannot be sent since the other end is gone is dropped.
  virtual bool send(Bytes message) = 0;
  virtual Task<> wait_writable() = 0;
  virtual void close() noexcept = 0;
  // Of the kernel's, to hand this end to another process; -1: there is none.
  [[nodiscard]] virtual int descriptor() = 0;
};

// Both ends. Throws system_error.
std::pair<UniqueFd, UniqueFd> open_message_link();

class KernelMessageLink final : public MessageLink {
 public:
  KernelMessageLink(const asio::any_io_executor& executor, UniqueFd fd);
  // Another process may have the same end: the reactor must forget it, which closing alone would
  // not do (epoll(7)).
  ~KernelMessageLink() override { descriptor_.close(); }

  Task<> wait_readable() override;
  MutableBytes receive() override;
  [[nodiscard]] bool ended() const override { return ended_ || !descriptor_.is_open(); }
  bool send(Bytes message) override;
  Task<> wait_writable() override;
  void close() noexcept override { descriptor_.close(); }
  [[nodiscard]] int descriptor() override { return descriptor_.fd(); }

 private:
  Descriptor descriptor_;
  std::vector<std::uint8_t> received_;
  bool ended_ = false;
};

}  // namespace sidestream
