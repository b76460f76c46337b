#include "cli/caa_judgement.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

using Kind = CaaJudgement::Kind;

const CaaWish wish{.name = "home.example.com",
                   .issuers = {"letsencrypt.org"},
                   .account = "https://ca.test/acct/1"};

CaaJudgement judge(const std::vector<std::string>& issues, const CaaWish& of = wish) {
  std::vector<CaaRecord> records;
  for (const std::string& value : issues) records.push_back({false, "issue", value});
  return judge_caa(records, of);
}

TEST(CaaJudgement, WithoutARecordEveryoneMay) {
  EXPECT_EQ(judge({}).kind, Kind::open);
  const CaaRecord mail{false, "iodef", "mailto:me@example.com"};
  EXPECT_EQ(judge_caa({&mail, 1}, wish).kind, Kind::open);
}

TEST(CaaJudgement, TheLineThatWeAdviseClosesTheDoor) {
  const std::string line = caa_line(wish);
  EXPECT_EQ(line,
            "home.example.com. CAA 0 issue \"letsencrypt.org;validationmethods=tls-alpn-01;"
            "accounturi=https://ca.test/acct/1\"");
  const std::size_t begin = line.find('"') + 1;
  const std::string value = line.substr(begin, line.size() - begin - 1);
  EXPECT_EQ(judge({value}).kind, Kind::closed);
  EXPECT_EQ(judge({" LetsEncrypt.org ; validationmethods = dns-01,tls-alpn-01 ; accounturi = "
                   "https://ca.test/acct/1 "})
                .kind,
            Kind::closed);
  EXPECT_EQ(judge({value, ";"}).kind, Kind::closed);
}

TEST(CaaJudgement, AnAccountOfSomebodyElseIsNotOurs) {
  const auto other = judge({"letsencrypt.org;accounturi=https://ca.test/acct/2"});
  EXPECT_EQ(other.kind, Kind::forbidden);
  EXPECT_EQ(other.why, "has a CAA record for another account: https://ca.test/acct/2");
  EXPECT_EQ(judge({"letsencrypt.org;accounturi=https://ca.test/acct/2",
                   "letsencrypt.org;accounturi=https://ca.test/acct/1"})
                .kind,
            Kind::closed)
      << "two homes";
}

TEST(CaaJudgement, AnAuthorityWithoutAnAccountLeavesTheDoorOpen) {
  const auto open = judge({"letsencrypt.org"});
  EXPECT_EQ(open.kind, Kind::open);
  EXPECT_EQ(open.why,
            "has a CAA record that allows every account of letsencrypt.org, so whoever holds the "
            "edge could get certificates for it");
  EXPECT_EQ(judge({"letsencrypt.org;accounturi=https://ca.test/acct/1", "other.test"}).kind,
            Kind::open);
}

TEST(CaaJudgement, SaysWhyWeGetNone) {
  EXPECT_EQ(judge({"other.test"}).why,
            "has a CAA record that allows no certificates of this authority (letsencrypt.org)");
  EXPECT_EQ(judge({";"}).kind, Kind::forbidden);
  EXPECT_EQ(judge({"letsencrypt.org;validationmethods=http-01"}).why,
            "has a CAA record whose validationmethods leave out tls-alpn-01");
  const CaaRecord unknown{true, "tbs", "x"};
  EXPECT_EQ(judge_caa({&unknown, 1}, wish).kind, Kind::forbidden);
}

TEST(CaaJudgement, DoesWithoutWhatIsNotKnown) {
  CaaWish less = wish;
  less.account.clear();
  EXPECT_EQ(judge({"letsencrypt.org;accounturi=https://ca.test/acct/1"}, less).kind, Kind::open);
  less = wish;
  less.issuers.clear();
  EXPECT_EQ(judge({"any.test;accounturi=https://ca.test/acct/1"}, less).kind, Kind::closed);
  EXPECT_NE(caa_line(less).find("issue \"AUTHORITY;"), std::string::npos);
}

}  // namespace
}  // namespace sidestream::cli
