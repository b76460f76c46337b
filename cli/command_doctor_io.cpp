#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/admin_client_io.h"
#include "cli/admin_default_io.h"
#include "cli/commands.h"
#include "cli/configuration_check.h"
#include "cli/configuration_file_io.h"
#include "cli/doctor_names_io.h"
#include "cli/doctor_report.h"
#include "cli/exit_code.h"
#include "cli/machine_check_io.h"
#include "control/admin_messages.h"
#include "streams/kernel_network_io.h"
#include "streams/task_group_io.h"

namespace sidestream::cli {
namespace {

using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

void add(Findings& to, Findings more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Task<> fill(Findings& findings, NameDoctor& doctor,
            const sidecar::SidecarConfiguration& configuration) {
  findings = co_await doctor.examine(configuration);
}

Findings examine_names(const sidecar::SidecarConfiguration& configuration,
                       const std::optional<SocketAddress>& server) {
  asio::io_context io;
  KernelNetwork network(io);
  DnsClient client(network, server ? std::vector{*server} : name_servers_of_system());
  NameDoctor doctor(client, caa_wish(configuration));
  Findings findings;
  TaskGroup group(network.executor());
  group.spawn(fill(findings, doctor, configuration), [&](const std::exception_ptr& failure) {
    findings.push_back({Kind::problem, "DNS: " + code_of(failure).message()});
  });
  io.run();
  return findings;
}

// What the program that runs says of itself.
Findings examine_program(const control::ProgramConfiguration& program) {
  std::optional<std::string> admin;
  if (!program.admin.unix_path.empty()) admin = "unix:" + program.admin.unix_path;
  if (!program.has_admin) admin.reset();
  control::HttpRequest request;
  request.method = "GET";
  request.target = control::status_target;
  request.keep_alive = false;
  const auto response = ask_program(admin, std::move(request));
  if (!response) return {{Kind::problem, "the program does not run: " + response.error()}};
  const auto status = control::parse_status(response->body);
  if (!status) return {{Kind::problem, "its status cannot be read: " + status.error()}};
  return findings_of(*status);
}

struct Examination {
  Findings operator()(std::monostate) { return {}; }
  Findings operator()(const edge::EdgeConfiguration& configuration) {
    return examine(configuration);
  }
  Findings operator()(const sidecar::SidecarConfiguration& configuration) {
    Findings findings = examine(configuration);
    add(findings, examine_names(configuration, options.dns));
    return findings;
  }

  Findings examine(const auto& configuration) {
    Findings findings;
    for (std::string& one : machine_findings(configuration))
      findings.push_back({Kind::warning, std::move(one)});
    add(findings, examine_program(configuration.program));
    return findings;
  }

  const DoctorOptions& options;
};

}  // namespace

int run_doctor(const DoctorOptions& options, Console& console) {
  const auto path_default = file_to_check({options.config, std::nullopt});
  const auto file = path_default ? load_configuration(options.config, *path_default)
                                 : std::expected<std::optional<ConfigurationText>, std::string>(
                                       std::unexpect, path_default.error());
  if (!file) {
    console.complain("sidestream doctor: " + file.error() + "\n");
    return wrong_usage;
  }
  const CheckReport report = check_configuration(*file, std::nullopt, process_variables(*file));
  for (const std::string& problem : report.problems) console.complain(problem + "\n");
  if (!report.problems.empty()) {
    console.complain(report.summary + "\n");
    return wrong_usage;
  }
  Findings findings{{Kind::good, "configuration: " + report.summary}};
  add(findings, std::visit(Examination{options}, report.configuration));
  console.print(report_text(findings));
  const bool sick =
      std::ranges::any_of(findings, [](const Finding& one) { return one.kind == Kind::problem; });
  return sick ? failed : good;
}

}  // namespace sidestream::cli
