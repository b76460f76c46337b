// The newer process's side of a hand-over. Nothing of it runs beside other work of the program: it
// is done before that begins.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "cli/handover_dialogue.h"
#include "control/tunnel_handover_io.h"
#include "streams/kernel_network_io.h"
#include "tunnel/predecessor_facts.h"

namespace sidestream::cli {

class TakeOver {
 public:
  // Asks whoever serves the handover socket beside `admin_path` for an offer. All errors are one
  // line for a person, and leave the running process as it was.
  static std::expected<TakeOver, std::string> begin(const std::string& admin_path,
                                                    std::string_view program);
  TakeOver(TakeOver&&) noexcept;
  TakeOver& operator=(TakeOver&&) = delete;
  ~TakeOver();

  [[nodiscard]] const std::string& document() const { return document_; }
  // Who hands over.
  [[nodiscard]] const tunnel::PredecessorFacts& from() const { return from_; }
  control::NamedDescriptors& descriptors() { return descriptors_; }

  // Everything that could fail was done: the running process stands still and says where. Only some
  // seconds are left until finish().
  std::expected<std::string, std::string> ready();
  // From here on the streams are ours. An error: they are not, and nothing may be begun.
  std::expected<void, std::string> finish();

 private:
  TakeOver();
  std::expected<void, std::string> ask(std::string_view program);
  std::expected<std::string, std::string> exchange(HandoverFrame said, HandoverFrame wanted);

  // A loop of its own, so that nothing else runs meanwhile.
  struct Dialogue;
  std::unique_ptr<Dialogue> dialogue_;
  std::string document_;
  tunnel::PredecessorFacts from_;
  control::NamedDescriptors descriptors_;
};

}  // namespace sidestream::cli
