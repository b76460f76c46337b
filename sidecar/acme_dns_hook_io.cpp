#include "sidecar/acme_dns_hook_io.h"

#include <utility>

#include "control/http_client_io.h"
#include "control/json.h"
#include "sidecar/backend_io.h"
#include "streams/base64.h"
#include "streams/deadline_io.h"

namespace sidestream::sidecar {
namespace {

using control::JsonObject;

constexpr Duration dial_timeout = 10s;
// Name servers take their time.
constexpr Duration answer_timeout = 10min;

// RFC 8555 section 8.4.
std::string body_of(const AcmeChallenge& challenge) {
  return serialize_json(JsonObject{{"fqdn", "_acme-challenge." + challenge.name + "."},
                                   {"value", serialize_base64url(challenge.digest)}});
}

}  // namespace

Task<std::expected<void, std::string>> AcmeDnsHook::present(const AcmeChallenge& challenge) {
  return post("/present", body_of(challenge));
}

Task<std::expected<void, std::string>> AcmeDnsHook::clean_up(const AcmeChallenge& challenge) {
  return post("/cleanup", body_of(challenge));
}

Task<unsigned> AcmeDnsHook::exchange(std::string target, std::string body) {
  auto dialling = dial_backend(network_, address_, dial_timeout);
  const auto stream = co_await std::move(dialling);
  control::HttpRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.keep_alive = false;
  request.fields.push_back({"host", "hook"});
  request.fields.push_back({"content-type", "application/json"});
  request.body = std::move(body);
  auto fetching = control::fetch(*stream, std::move(request), {});
  const auto response = co_await std::move(fetching);
  co_return response.status;
}

Task<std::expected<void, std::string>> AcmeDnsHook::post(std::string target, std::string body) {
  const std::string name = "acme.dns_hook (" + address_.text() + ")";
  std::string why;
  try {
    auto exchanging = exchange(target, std::move(body));
    const unsigned status =
        co_await with_timeout(network_.timers(), answer_timeout, std::move(exchanging));
    constexpr unsigned good_begin = 200;
    constexpr unsigned good_end = 300;
    if (status >= good_begin && status < good_end) co_return std::expected<void, std::string>{};
    why = " answers " + target + " with status " + std::to_string(status);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    why = " does not answer " + target + ": " + error.code().message();
  }
  co_return std::unexpected(name + why);
}

}  // namespace sidestream::sidecar
