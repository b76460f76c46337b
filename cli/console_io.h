// The console of the process.
#pragma once

#include "cli/console.h"

namespace sidestream::cli {

class StandardConsole final : public Console {
 public:
  void print(std::string_view text) override;
  void complain(std::string_view text) override;
  [[nodiscard]] bool is_good() const override { return good_; }

 private:
  bool good_ = true;
};

}  // namespace sidestream::cli
