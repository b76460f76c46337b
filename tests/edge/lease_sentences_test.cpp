#include "edge/lease_sentences.h"

#include <gtest/gtest.h>

#include "control/json_fields.h"

namespace sidestream::edge {
namespace {

using control::Reason;
using control::Refusal;

TEST(LeaseSentences, EveryReasonSaysSomethingThatFitsItsField) {
  const control::WantedEndpoint wanted{"a.example.com", "web", 20001, 100};
  SentenceFacts facts;
  facts.sidecar = "home";
  facts.wanted = &wanted;
  facts.port = 50002;
  facts.public_ports = "443, 2222";
  facts.detail = "address in use";
  facts.other_service = "mail";
  facts.endpoints_max = 1000;
  EXPECT_EQ(explain(Reason::none, facts), "");
  for (int i = 1; i < static_cast<int>(Reason::other); ++i) {
    const std::string sentence = explain(static_cast<Reason>(i), facts);
    EXPECT_FALSE(sentence.empty()) << i;
    EXPECT_LE(sentence.size(), control::MessageLimits().sentence_bytes_max);
    EXPECT_TRUE(control::is_printable_text(sentence));
  }
  EXPECT_EQ(explain(Reason::port_not_open, facts),
            "port 50002 is not open on this edge; add it to `public.ports` in edge.yaml or use one "
            "of 443, 2222");
  EXPECT_NE(explain(Reason::not_allowed, facts).find("sidecar home may not publish it"),
            std::string::npos);
  EXPECT_NE(explain(Reason::listener_failed, facts).find("port 50002: address in use"),
            std::string::npos);
}

TEST(LeaseSentences, EveryRefusalSaysSomething) {
  for (int i = 0; i <= static_cast<int>(Refusal::other); ++i) {
    EXPECT_FALSE(explain(static_cast<Refusal>(i), "nas").empty()) << i;
  }
  EXPECT_NE(explain(Refusal::session_superseded, "nas").find("\"nas\""), std::string::npos);
}

}  // namespace
}  // namespace sidestream::edge
