// The sidecar's side of the control protocol toward one edge, as a dialogue: it is told what
// happened and says what to do next. It opens a session, publishes the whole wanted state, renews
// it with heartbeats, notices an edge that does not answer or has restarted, and withdraws at the
// end. docs/protocols/control.md has the picture.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "control/ban_list.h"
#include "control/control_messages.h"
#include "control/http_message.h"
#include "streams/random.h"
#include "streams/time.h"

namespace sidestream::control {

struct ControlClientTiming {
  // Shorter when the edge's lease asks for it: at least three heartbeats are tried in a lease.
  Duration heartbeat_interval = 2500ms;
  // While the edge is about to listen on a port of ours: to learn soon that it does.
  Duration opening_interval = 250ms;
  // For connecting and for one request. What is not answered by then is a miss; after a first one
  // something is wrong and less patience is due. Two misses are found out 5.5 s after the edge fell
  // silent, while the lease still lives.
  Duration answer_timeout = 2s;
  Duration answer_timeout_after_miss = 1s;
  // Changes that come faster than this are published together.
  Duration state_spacing = 200ms;
  // Before connecting again after a failure that came at once; doubled each time.
  Duration backoff_first = 250ms;
  Duration backoff_max = 5s;
  // A revoked sidecar asks so rarely: only an edge whose state was restored says anything else.
  Duration revoked_interval = 60s;
  // For everything that a stop still does.
  Duration stop_timeout = 2s;
  // So many misses in a row make the tunnel shake hands anew.
  unsigned misses_before_handshake = 2;
};

// What happened. After Report and ForceHandshake comes Proceed, after the other actions one of
// their outcomes; ServicesChanged, BansChanged, AskNow, Stop and Cancelled may come in between at
// any time.
namespace client_event {
struct Started {};    // the first one, once
struct Proceed {};    // a Report or ForceHandshake was carried out
struct Connected {};  // Connect succeeded
struct Responded {    // SendRequest succeeded
  HttpResponse response;
};
struct Failed {                 // Connect or SendRequest failed; the connection is gone
  std::string why;              // as the end of a sentence: `connection refused`
  bool nobody_listens = false;  // of Connect: the edge's host is there, a control port is not
};
struct TimedOut {};  // the deadline of the last Connect, SendRequest or SleepUntil has passed;
                     // of the first two nothing goes on and the connection is gone
struct ServicesChanged {
  std::vector<WantedEndpoint> wanted;
};
struct BansChanged {
  std::vector<Ban> bans;  // all of them
};
struct AskNow {};     // the tunnel or our address is a new one: is the edge still there?
struct Stop {};       // withdraw everything, then Done
struct Cancelled {};  // Done at once
}  // namespace client_event
using ClientEvent =
    std::variant<client_event::Started, client_event::Proceed, client_event::Connected,
                 client_event::Responded, client_event::Failed, client_event::TimedOut,
                 client_event::ServicesChanged, client_event::BansChanged, client_event::AskNow,
                 client_event::Stop, client_event::Cancelled>;

// What to do.
namespace client_action {
struct Connect {  // drop the connection that there may be and open one
  Instant deadline;
};
struct SendRequest {  // on the connection, and read its response
  HttpRequest request;
  Instant deadline;
};
struct SleepUntil {
  Instant deadline;
};
struct KeepWaiting {  // for what the last Connect or SendRequest does, with a new deadline
  Instant deadline;
};
struct Report {};          // standing() has changed; then Proceed
struct ForceHandshake {};  // the tunnel to this edge may be dead; then Proceed
struct Done {};            // drop the connection; no event is needed any more
}  // namespace client_action
using ClientAction =
    std::variant<client_action::Connect, client_action::SendRequest, client_action::SleepUntil,
                 client_action::KeepWaiting, client_action::Report, client_action::ForceHandshake,
                 client_action::Done>;

// How things stand with this edge.
struct ControlStanding {
  bool reachable = false;  // it answered the last request in time
  std::string problem;     // why nothing is published or renewed, one sentence; empty: all is well
  bool revoked = false;    // the edge has said so; the problem is that
  // Through the tunnel comes the answer that nothing listens at the control port, and nothing ever
  // did: the edge is WireGuard and a router alone. No problem, and nothing can be published.
  bool no_control = false;
  std::string edge_version;
  // Of the edge's process, as soon as a session is open: when it changes, the streams of the old
  // one are gone, and none of the new one has come yet. Empty: not known.
  std::string edge_run;
  std::optional<Duration> round_trip;  // of the last request
  std::optional<Instant> last_answer;  // when the edge last answered
  // Counted from when the request was sent, so it ends no later than the edge's own. None: no
  // lease.
  std::optional<Instant> lease_end;
  // What the edge was asked for last and what it said, in the same order. Both empty without lease.
  std::vector<WantedEndpoint> published;
  std::vector<EndpointAnswer> answers;
  std::optional<std::uint64_t> bans;  // that it honours; none: it does not know bans
};

class ControlClient {
 public:
  struct Self {
    std::string host;      // the edge's tunnel address and port, for the Host field
    std::string version;   // our own
    std::string instance;  // see SessionRequest
    std::string run{};     // the same
  };
  // `random` outlives it and only spreads retries.
  ControlClient(Self self, RandomSource& random, const ControlClientTiming& timing = {});

  ClientAction resume(Instant now, ClientEvent event);
  [[nodiscard]] const ControlStanding& standing() const { return standing_; }

 private:
  enum class Step : std::uint8_t {
    idle,  // before Started
    connecting,
    opening,     // a session request is on its way
    publishing,  // a state
    beating,     // a heartbeat
    resting,     // connected, until the next heartbeat
    pausing,     // after a failure or a refusal
    ended,
  };

  void on(Instant now, const client_event::Started&);
  void on(Instant now, const client_event::Proceed&);
  void on(Instant now, const client_event::Connected&);
  void on(Instant now, client_event::Responded& event);
  void on(Instant now, const client_event::Failed& event);
  void on(Instant now, const client_event::TimedOut&);
  void on(Instant now, client_event::ServicesChanged& event);
  void on(Instant now, client_event::BansChanged& event);
  void on(Instant now, const client_event::AskNow&);
  void on(Instant now, const client_event::Stop&);
  void on(Instant now, const client_event::Cancelled&);

  void connect(Instant now);
  void send_next(Instant now);
  void send(Instant now, Step step, std::string_view method, std::string_view target,
            std::string body);
  void rest(Instant now);
  void pause(Instant now, Duration time);
  void finish();
  void wait_on();

  // Each returns false when the answer makes no sense.
  bool take_session(const std::string& body);
  bool take_state(const std::string& body);
  bool take_heartbeat(const std::string& body);
  void take_answers(std::vector<EndpointAnswer> answers, std::uint64_t revision,
                    std::chrono::seconds lease);
  void on_refusal(Instant now, const HttpResponse& response);
  void on_lost_connection(Instant now, std::string why);
  void on_no_control(Instant now);
  void note_problem(Instant now, std::string problem);
  void forget_session();

  void publish_soon(Instant now);
  [[nodiscard]] std::vector<BannedNetwork> bans_left(Instant now) const;
  [[nodiscard]] bool in_flight() const;
  [[nodiscard]] Instant limit(Instant now, Duration timeout) const;
  [[nodiscard]] Duration heartbeat_interval() const;
  Duration next_backoff();

  Self self_;
  RandomSource& random_;
  ControlClientTiming timing_;

  Step step_ = Step::idle;
  Instant deadline_{};                // of the step
  std::deque<ClientAction> actions_;  // still to be given out; the last one waits
  bool connected_ = false;
  bool stopping_ = false;
  Instant stop_deadline_{};

  std::vector<WantedEndpoint> wanted_;
  std::vector<WantedEndpoint> sent_;  // in the state that is or was on its way last
  std::vector<Ban> bans_;
  std::vector<Ban> sent_bans_;  // as sent_
  bool answered_ = false;       // something that is control, at any time
  bool unpublished_ = true;     // `wanted_` is perhaps not what the edge has accepted
  bool ask_now_ = false;        // the next heartbeat is due, and no caution
  std::string session_;         // empty: none
  bool session_used_ = false;   // the edge has accepted a state in it
  std::uint64_t sequence_ = 0;
  std::uint64_t revision_ = 0;
  std::chrono::seconds lease_{0};

  Instant request_sent_{};  // the last one
  Instant renewed_{};       // when the last one was sent that renewed the lease
  std::optional<Instant> state_sent_;
  unsigned misses_ = 0;
  unsigned failures_ = 0;  // in a row, for the backoff
  ControlStanding standing_;
};

}  // namespace sidestream::control
