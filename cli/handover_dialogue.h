// The frames by which a running program hands over to the next process of the same program. In this
// order; docs/protocols/handover.md tells what each of them changes.
#pragma once

#include <cstdint>
#include <string>

namespace sidestream::cli {

enum class HandoverFrame : std::uint8_t {
  hello = 1,    // newer: HandoverHello
  refusal,      // older, at any time before `released`: a sentence
  descriptors,  // older: some of the offer's, in its order
  offer,        // older: HandoverOffer, with the rest of the descriptors
  ready,        // newer: it could begin now
  state,        // older: it stands still, and this is where
  running,      // newer: it has taken everything in
  released,     // older: it has let go; the newer one begins
};

// Where a program listens for its next process: beside its admin socket.
[[nodiscard]] inline std::string handover_path(const std::string& admin_path) {
  return admin_path + ".handover";
}

}  // namespace sidestream::cli
