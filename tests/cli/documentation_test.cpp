// Every configuration that the documentation shows is good.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "cli/command_table.h"
#include "cli/configuration_check.h"
#include "control/ticket.h"
#include "edge/edge_environment.h"
#include "sidecar/sidecar_environment.h"
#include "tests/support/configuration_examples.h"

namespace sidestream::cli {
namespace {

void expect_good(const std::string& document, std::size_t blocks_min) {
  const ExampleWorld world{
      {{"SIDESTREAM_TICKET", std::string(example_ticket)}},
      {{"/run/secrets/ticket", std::string(example_ticket)},
       {"/run/secrets/preshared_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
       {"/run/secrets/private_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}};
  const auto blocks = configurations_in(document);
  EXPECT_GE(blocks.size(), blocks_min) << document;
  for (const ConfigurationText& block : blocks) {
    ExampleWorld used = world;
    if (!block.text.contains("SIDESTREAM_TICKET")) used.environment.clear();
    const CheckReport report = check_configuration(block, std::nullopt, used.sources());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  }
}

// The keys that a section knows, as the message about an unknown one lists them.
std::set<std::string> keys_of(const std::string& text, Program program) {
  const CheckReport report =
      check_configuration(ConfigurationText{"f", text}, program, ExampleWorld().sources());
  constexpr std::string_view before = "zzz: unknown key; expected ";
  for (const std::string& problem : report.problems) {
    const std::size_t at = problem.find(before);
    if (at == std::string::npos) continue;
    std::set<std::string> keys;
    std::string key;
    std::istringstream words(problem.substr(at + before.size()));
    while (words >> key) {
      if (key.ends_with(',')) key.pop_back();
      if (key != "or") keys.insert(key);
    }
    return keys;
  }
  ADD_FAILURE() << "nothing about zzz in " << text;
  return {};
}

// A section that is a mapping of its own is documented as `section.key` or under its own heading.
void expect_documented(const std::string& page, const std::string& text, Program program,
                       const std::string& section = "") {
  for (const std::string& key : keys_of(text, program)) {
    const bool is_there =
        page.contains("| `" + key + "` |") || page.contains("| `" + section + key + "` |") ||
        page.contains("`" + section + key + ".") || page.contains("`" + key + "[]");
    EXPECT_TRUE(is_there) << section << key << " is not in docs/configuration.md";
  }
}

TEST(Documentation, NamesEveryKey) {
  const std::string page = document_text("docs/configuration.md");
  expect_documented(page, "zzz: 1", Program::edge);
  expect_documented(page, "tunnel: {zzz: 1}", Program::edge, "tunnel.");
  expect_documented(page, "public: {zzz: 1}", Program::edge, "public.");
  expect_documented(page, "limits: {zzz: 1}", Program::edge, "limits.");
  expect_documented(document_text("docs/edges/haproxy.md"), "router: {haproxy: {zzz: 1}}",
                    Program::edge);
  expect_documented(document_text("docs/edges/traefik.md"), "router: {traefik: {zzz: 1}}",
                    Program::edge);
  expect_documented(document_text("docs/edges/nginx.md"), "router: {nginx: {zzz: 1}}",
                    Program::edge);
  expect_documented(page, "sidecars: {a: {zzz: 1}}", Program::edge);
  expect_documented(page, "log: {zzz: 1}", Program::edge);
  expect_documented(page, "zzz: 1", Program::sidecar);
  expect_documented(page, "tunnel: {zzz: 1}", Program::sidecar, "tunnel.");
  expect_documented(page, "docker: {zzz: 1}", Program::sidecar, "docker.");
  expect_documented(page, "edges: [{zzz: 1}]", Program::sidecar, "edges[].");
  expect_documented(page, "services: {a: {zzz: 1}}", Program::sidecar);
  expect_documented(page, "services: {a: {health: {zzz: 1}}}", Program::sidecar);
}

// Every key that is no section has its variable.
void expect_variables(const std::vector<control::EnvironmentKey>& variables, Program program,
                      const std::string& document, const std::string& section) {
  for (const std::string& key : keys_of(document, program)) {
    const std::string path = section + key;
    const auto gives = [&](const control::EnvironmentKey& one) {
      return one.path == path || one.path.starts_with(path + ".") ||
             one.path.starts_with(path + "[]");
    };
    const bool is_left_out = program == Program::edge && path == "sidecars";
    EXPECT_TRUE(is_left_out || std::ranges::any_of(variables, gives)) << path << " has no variable";
  }
}

TEST(Documentation, NamesAVariableForEveryKey) {
  const auto of_edge = edge::edge_environment();
  for (const std::string section : {"tunnel", "public", "limits", "log", "metrics"})
    expect_variables(of_edge, Program::edge, section + ": {zzz: 1}", section + ".");
  expect_variables(of_edge, Program::edge, "zzz: 1", "");

  const auto of_sidecar = sidecar::sidecar_environment();
  for (const std::string section :
       {"tunnel", "limits", "log", "metrics", "docker", "acme", "services.default"}) {
    const bool is_service = section == "services.default";
    expect_variables(of_sidecar, Program::sidecar,
                     is_service ? "services: {default: {zzz: 1}}" : section + ": {zzz: 1}",
                     section + ".");
  }
  expect_variables(of_sidecar, Program::sidecar, "acme: {eab: {zzz: 1}}", "acme.eab.");
  for (const std::string section : {"health", "limits"})
    expect_variables(of_sidecar, Program::sidecar,
                     "services: {default: {" + section + ": {zzz: 1}}}",
                     "services.default." + section + ".");
  expect_variables(of_sidecar, Program::sidecar, "edges: [{zzz: 1}]", "edges[].");
  expect_variables(of_sidecar, Program::sidecar, "zzz: 1", "");
}

// The tables of variables say what the code does, and name no other.
TEST(Documentation, NamesEveryVariableWithItsKey) {
  const std::string page = document_text("docs/configuration.md");
  std::set<std::string> rows;
  for (const auto& keys : {edge::edge_environment(), sidecar::sidecar_environment()}) {
    for (const control::EnvironmentKey& key : keys) {
      std::string row = "\n| `" + std::string(key.variable) + "`";
      if (key.may_be_file()) row += ", `" + std::string(key.variable) + "_FILE`";
      row += " | `" + std::string(key.path) + "`";
      rows.insert(row);
      const std::size_t at = page.find(row);
      EXPECT_NE(at, std::string::npos) << row;
      if (at == std::string::npos || key.form != control::EnvironmentKey::Form::list) continue;
      EXPECT_TRUE(page.substr(at + row.size()).starts_with(", a list")) << row;
    }
  }
  std::size_t count = 0;
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view begin = "\n| `";
  for (std::size_t at = 0; (at = page.find("\n| `SIDESTREAM_", at)) != std::string::npos; ++at)
    if (page[page.find_first_not_of(letters, at + begin.size())] == '`') ++count;
  EXPECT_EQ(count, rows.size());
}

TEST(Documentation, NamesEveryCommandAsItIs) {
  const std::string page = document_text("docs/configuration.md");
  for (const Command& command : all_commands()) {
    std::string usage = "| `sidestream " + std::string(command.name);
    if (!command.usage.empty()) usage.append(" ").append(command.usage);
    for (std::size_t at = 2; (at = usage.find('|', at)) != std::string::npos; at += 2)
      usage.insert(at, "\\");
    EXPECT_TRUE(page.contains(usage + "` |")) << usage;
  }
}

TEST(Documentation, ShowsOnlyGoodConfigurations) {
  expect_good("README.md", 2);
  expect_good("docs/configuration.md", 3);
  expect_good("docs/edges/haproxy.md", 1);
  expect_good("docs/edges/nginx.md", 1);
  expect_good("docs/edges/static.md", 1);
  expect_good("docs/edges/traefik.md", 1);
}

TEST(Documentation, ComposeExamplesAreGood) {
  control::Ticket other = control::Ticket::parse(example_ticket).value();
  other.edge_endpoints = {HostPort::parse("other.example.com:51820").value()};
  other.edge_public_key =
      tunnel::PublicKey::parse("gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=").value();
  const std::string ticket(example_ticket);
  const ExampleWorld one{{{"SIDESTREAM_TICKET", ticket}}, {}};
  const ExampleWorld two{{{"TICKET_1", ticket}, {"TICKET_2", std::string(other.text().reveal())}},
                         {}};
  for (const std::string path :
       {"compose/demo/edge.yaml", "compose/demo/sidecar.yaml", "compose/edge/edge.yaml",
        "compose/edge-haproxy/edge.yaml", "compose/several-services/sidecar.yaml",
        "compose/two-edges/sidecar.yaml"}) {
    const ConfigurationText file{path, document_text(path)};
    const ExampleWorld& world = path.contains("two-edges") ? two : one;
    const CheckReport report = check_configuration(file, std::nullopt, world.sources());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  }
}

}  // namespace
}  // namespace sidestream::cli
