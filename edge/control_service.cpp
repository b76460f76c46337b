#include "edge/control_service.h"

#include <chrono>
#include <utility>

#include "edge/lease_sentences.h"

namespace sidestream::edge {
namespace {

using control::HttpRequest;
using control::HttpResponse;
using control::Refusal;
using control::RefusalAnswer;

HttpResponse json_response(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.fields = {{"content-type", "application/json"}};
  response.body = std::move(body);
  return response;
}

HttpResponse refusal_response(const RefusalAnswer& answer) {
  return json_response(status_of(answer.refusal), serialize(answer));
}

HttpResponse refusal_response(Refusal refusal) {
  return refusal_response({refusal, explain(refusal, {})});
}

template <typename Answer>
HttpResponse answer_response(const LeaseTable::Answered<Answer>& answer) {
  if (!answer) return refusal_response(answer.error());
  return json_response(200, serialize(*answer));
}

template <typename Message>
HttpResponse bad_message(const control::Parsed<Message>& message) {
  return refusal_response({Refusal::bad_message, message.error()});
}

}  // namespace

HttpResponse ControlService::refuse(Refusal refusal) {
  HttpResponse response = refusal_response(refusal);
  response.keep_alive = false;
  return response;
}

HttpResponse ControlService::respond(Instant now, const std::string& sidecar,
                                     const HttpRequest& request) {
  TokenBucket& bucket =
      buckets_.try_emplace(sidecar, limits_.messages_per_second, limits_.messages_burst)
          .first->second;
  if (!bucket.take(now)) {
    ++refused_;
    HttpResponse response = refusal_response(Refusal::too_many_requests);
    const auto wait = std::chrono::ceil<std::chrono::seconds>(bucket.wait(now));
    response.fields.push_back({"retry-after", std::to_string(wait.count())});
    return response;
  }
  HttpResponse response = dispatch(now, sidecar, request);
  if (response.status != 200) ++refused_;
  return response;
}

HttpResponse ControlService::respond_again(const std::string& sidecar) {
  return json_response(200, serialize(table_.latest_answer(sidecar)));
}

HttpResponse ControlService::dispatch(Instant now, const std::string& sidecar,
                                      const HttpRequest& request) {
  const std::string_view method =
      request.target == control::state_target ? std::string_view("PUT") : std::string_view("POST");
  if (request.target != control::session_target && request.target != control::state_target &&
      request.target != control::heartbeat_target) {
    return refusal_response(Refusal::not_found);
  }
  if (request.method != method) {
    HttpResponse response = refusal_response(Refusal::method_not_allowed);
    response.fields.push_back({"allow", std::string(method)});
    return response;
  }
  if (request.target == control::session_target) {
    const auto message = control::parse_session_request(request.body);
    if (!message) return bad_message(message);
    return answer_response(table_.open_session(sidecar, *message));
  }
  if (request.target == control::state_target) {
    const auto message = control::parse_state_request(request.body);
    if (!message) return bad_message(message);
    auto answer = table_.put_state(now, sidecar, *message);
    if (answer && on_state_) {
      on_state_();
      *answer = table_.latest_answer(sidecar);
    }
    return answer_response(answer);
  }
  const auto message = control::parse_heartbeat_request(request.body);
  if (!message) return bad_message(message);
  return answer_response(table_.heartbeat(now, sidecar, *message));
}

}  // namespace sidestream::edge
