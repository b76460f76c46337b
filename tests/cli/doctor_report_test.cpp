#include "cli/doctor_report.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

using Kind = Finding::Kind;

control::SidecarStatus well() {
  control::SidecarStatus status;
  status.version = "1.0";
  control::SidecarEdgeStatus& edge = status.edges.emplace_back();
  edge.edge = "vps:51820";
  edge.tunnel_state = "up";
  edge.edge_version = "1.0";
  control::ServiceStatus& service = status.services.emplace_back();
  service.name = "notes";
  service.backend = "app:80";
  service.health = "healthy";
  service.endpoints.push_back(
      {"notes.example.com", "vps:51820", control::PublishState::published, ""});
  service.certificate.emplace();
  service.certificate->source = "acme";
  service.certificate->chains.push_back({"notes.example.com", "2027-01-01 00:00 UTC", ""});
  return status;
}

std::vector<std::string> troubles(const control::Status& status) {
  std::vector<std::string> texts;
  for (const Finding& one : findings_of(status))
    if (one.kind != Kind::good)
      texts.push_back((one.kind == Kind::problem ? "problem: " : "warning: ") + one.text);
  return texts;
}

TEST(DoctorReport, AWellSidecarHasNoTrouble) {
  EXPECT_EQ(troubles(well()), std::vector<std::string>{});
  EXPECT_EQ(report_text(findings_of(well())),
            "good: tunnel to vps:51820: up\n"
            "good: notes: the backend app:80 is healthy\n"
            "good: notes: certificate (acme) for notes.example.com until 2027-01-01 00:00 UTC\n"
            "good: notes.example.com at vps:51820: published\n"
            "0 problems, 0 warnings, 4 good\n");
}

TEST(DoctorReport, SaysWhatDoesNotWork) {
  control::SidecarStatus status = well();
  status.edges[0].tunnel_state = "connecting";
  status.edges[0].edge_version = "0.9";
  status.services[0].health = "unhealthy";
  status.services[0].health_reason = "Connection refused";
  status.services[0].endpoints[0].state = control::PublishState::refused;
  status.services[0].endpoints[0].reason = "held by another sidecar";
  status.services[0].certificate->problem = "the authority does not answer";
  EXPECT_EQ(troubles(status),
            (std::vector<std::string>{
                "problem: tunnel to vps:51820: connecting; do UDP packets reach it, and is the "
                "ticket still good?",
                "warning: edge vps:51820 has version 0.9, this sidecar 1.0",
                "problem: notes: the backend app:80 is unhealthy: Connection refused",
                "warning: notes: certificate (acme): the authority does not answer",
                "problem: notes.example.com at vps:51820: refused, held by another sidecar"}));
  status.services[0].certificate->chains.clear();
  EXPECT_EQ(troubles(status)[3],
            "problem: notes: certificate (acme): the authority does not answer");
}

TEST(DoctorReport, AnEdgeWithoutSidecarsIsForNobody) {
  control::EdgeStatus status;
  EXPECT_EQ(troubles(status),
            std::vector<std::string>{
                "warning: no sidecar is enrolled; `sidestream invite` makes a ticket"});
  control::EdgeSidecarStatus home;
  home.name = "home";
  home.present = true;
  home.endpoints.push_back({":22", "ssh", control::EndpointState::refused, "not allowed"});
  status.sidecars.push_back(home);
  EXPECT_EQ(troubles(status),
            std::vector<std::string>{"problem: :22 of home is refused: not allowed"});
}

TEST(DoctorReport, ATailnetThatIsNotReadyIsAWarning) {
  control::EdgeStatus status;
  status.tailnet.emplace();
  status.tailnet->name = "vps.tn.test";
  status.tailnet->problem = "it is stopped";
  status.tailnet->warnings = {"slow"};
  const std::vector<std::string> told = troubles(status);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0], "warning: tailnet vps.tn.test: it is stopped");
  EXPECT_EQ(told[1], "warning: tailnet vps.tn.test: slow");
}

TEST(DoctorReport, ProblemsComeLast) {
  const std::vector<Finding> findings{
      {Kind::problem, "a"}, {Kind::good, "b"}, {Kind::warning, "c"}};
  EXPECT_EQ(report_text(findings),
            "good: b\nwarning: c\nproblem: a\n1 problems, 1 warnings, 1 good\n");
}

}  // namespace
}  // namespace sidestream::cli
