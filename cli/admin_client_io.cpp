#include "cli/admin_client_io.h"

#include <array>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "cli/admin_address.h"
#include "cli/admin_default_io.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "control/admin_messages.h"
#include "control/http_client_io.h"
#include "control/program_configuration.h"
#include "control/status_messages.h"
#include "streams/deadline_io.h"
#include "streams/kernel_network_io.h"
#include "streams/task_group_io.h"

namespace sidestream::cli {
namespace {

constexpr Duration timeout = 5s;
constexpr std::string_view unix_scheme = "unix:";

Task<control::HttpResponse> ask(KernelNetwork& network, std::string address,
                                control::HttpRequest request) {
  std::unique_ptr<Stream> stream;
  if (address.starts_with(unix_scheme)) {
    stream = co_await network.connect_unix(address.substr(unix_scheme.size()), timeout);
  } else {
    const auto remote = SocketAddress::parse(address);
    if (!remote) throw_error(asio::error::invalid_argument, "address");
    stream = co_await network.connect(*remote, timeout);
  }
  control::HttpLimits limits;
  limits.body_bytes_max = control::status_bytes_max;
  auto exchanging = control::exchange(*stream, std::move(request), limits);
  co_return co_await with_timeout(network.timers(), timeout, std::move(exchanging));
}

Task<> ask_into(KernelNetwork& network, std::string address, control::HttpRequest request,
                std::optional<control::HttpResponse>& response) {
  response = co_await ask(network, std::move(address), std::move(request));
}

}  // namespace

std::expected<std::optional<std::string>, std::string> choose_admin_address(
    const std::optional<std::string>& admin, const std::optional<std::string>& config,
    std::span<const std::string_view> files_default) {
  if (admin) return admin;
  std::optional<std::string> chosen = config;
  for (const std::string_view path : files_default) {
    std::error_code ignored;
    if (config || !std::filesystem::exists(path, ignored)) continue;
    if (chosen)
      return std::unexpected("there are " + *chosen + " and " + std::string(path) +
                             "; say which with --config FILE");
    chosen = path;
  }
  const auto file = load_configuration(chosen, "");
  if (!file) return std::unexpected(file.error());
  auto address = admin_address_in(*file, process_variables(*file));
  if (!address) return std::unexpected(address.error());
  return std::move(*address);
}

std::expected<control::HttpResponse, std::string> ask_program(
    const std::optional<std::string>& address, control::HttpRequest request) {
  const std::string where = address.value_or(std::string(unix_scheme) + admin_socket_to_ask());
  asio::io_context io;
  KernelNetwork network(io);
  std::optional<control::HttpResponse> response;
  std::string why = "no answer";
  std::string remedy = "is it running, and is this its admin address?";
  {
    TaskGroup group(network.executor());
    request.fields.push_back({"host", std::string(control::admin_host)});
    group.spawn(ask_into(network, where, std::move(request), response),
                [&](const std::exception_ptr& failure) {
                  why = code_of(failure).message();
                  if (code_of(failure) == boost::system::errc::permission_denied)
                    remedy = "ask as the user that runs it, as in `sudo -u sidestream …`";
                });
    io.run();
  }
  if (!response)
    return std::unexpected("no sidestream answers at " + where + " (" + why + "); " + remedy);
  return std::move(*response);
}

std::optional<std::string> ask_or_complain(const AdminQuestion& question, Console& console,
                                           int& code) {
  const auto complain = [&](const std::string& what, int with) {
    console.complain("sidestream " + std::string(question.command) + ": " + what + "\n");
    code = with;
    return std::nullopt;
  };
  const std::array files_default{question.file_default};
  const auto address = choose_admin_address(question.admin, question.config, files_default);
  if (!address) return complain(address.error(), wrong_usage);
  control::HttpRequest request;
  request.method = "POST";
  request.target = question.target;
  request.body = question.body;
  request.keep_alive = false;
  auto response = ask_program(*address, std::move(request));
  if (!response) return complain(response.error(), not_running);
  if (response->status != 200)
    return complain(control::parse_admin_refusal(response->body).sentence, failed);
  code = good;
  return std::move(response->body);
}

}  // namespace sidestream::cli
