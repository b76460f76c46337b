#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "control/json.h"

namespace sidestream::control {
namespace {

// A program may use the library beside our door; both are the same copy.
TEST(JsonLibrary, IsLinkedOnce) {
  EXPECT_EQ(boost::json::serialize(boost::json::parse("[1, {\"a\": null}]")),
            serialize_json(*parse_json("[1, {\"a\": null}]")));
}

}  // namespace
}  // namespace sidestream::control
