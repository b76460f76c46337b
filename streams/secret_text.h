// A secret in text form, such as a ticket or a private key in base 64, that wipes itself and cannot
// be printed: there is no conversion to a string and no output operator.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include "streams/secret.h"

namespace sidestream {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(const SecretText&) = default;
  SecretText& operator=(const SecretText& other) {
    if (this != &other) {
      clear();
      text_ = other.text_;
    }
    return *this;
  }
  // Moving a short string copies it, so the source is wiped as well.
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.clear(); }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      clear();
      text_ = std::move(other.text_);
      other.clear();
    }
    return *this;
  }
  ~SecretText() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  // The one way to the text; the name makes uses easy to find.
  [[nodiscard]] std::string_view reveal() const noexcept { return text_; }

  friend bool operator==(const SecretText& left, const SecretText& right) noexcept {
    return equal_in_constant_time(bytes_of(left.text_), bytes_of(right.text_));
  }
  friend std::ostream& operator<<(std::ostream&, const SecretText&) = delete;

 private:
  // Up to the capacity: what was there before the text became shorter goes too.
  void clear() noexcept {
    text_.resize(text_.capacity());
    wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()});
    text_.clear();
  }
  std::string text_;
};

}  // namespace sidestream
