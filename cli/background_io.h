// A program that goes on in the background once it serves, so that whoever started it can wait for
// that and learn whether it does.
#pragma once

#include <optional>

#include "streams/descriptor_io.h"

namespace sidestream::cli {

class Background {
 public:
  // In the process that was started: waits until the other one serves (0) or has ended, and returns
  // its exit code. In that other one: nothing, and all goes on there. To be called before anything
  // else is begun.
  std::optional<int> begin();
  // Lets the first process return.
  void tell_serving();

 private:
  UniqueFd serving_;
};

}  // namespace sidestream::cli
