#include "streams/secret_text.h"

#include <gtest/gtest.h>

#include <array>
#include <new>

namespace sidestream {
namespace {

template <typename Type>
concept Printable = requires(std::ostream& stream, const Type& value) { stream << value; };
static_assert(!Printable<SecretText>);
static_assert(Printable<std::string>);

TEST(SecretText, WipesItself) {
  alignas(SecretText) std::array<std::uint8_t, sizeof(SecretText)> storage{};
  const auto holds = [&](std::string_view what) {
    return text_of(storage).find(what) != std::string_view::npos;
  };
  auto* secret = new (storage.data()) SecretText(std::string("s3cret"));
  EXPECT_TRUE(holds("s3cret"));  // short texts stand in the object itself
  secret->~SecretText();
  EXPECT_FALSE(holds("s3cret"));
}

TEST(SecretText, WipesWhatItMovedAwayFrom) {
  SecretText source(std::string("s3cret"));
  SecretText target = std::move(source);
  EXPECT_EQ(target.reveal(), "s3cret");
  const Bytes left(reinterpret_cast<const std::uint8_t*>(&source), sizeof source);
  EXPECT_EQ(text_of(left).find("s3cret"), std::string_view::npos);
  source = std::move(target);
  EXPECT_EQ(source.reveal(), "s3cret");
  EXPECT_TRUE(target.empty());
  target = source;
  EXPECT_TRUE(target == source);
  EXPECT_FALSE(target == SecretText());
}

}  // namespace
}  // namespace sidestream
