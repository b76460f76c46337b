#include "streams/event_io.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace sidestream {

class Suspension::Register final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit Register(asio::execution_context& context) : service(context) {}

  void add(Suspension& suspension) {
    suspension.register_ = this;
    suspension.before_ = nullptr;
    suspension.after_ = first_;
    if (first_) first_->before_ = &suspension;
    first_ = &suspension;
  }
  void remove(Suspension& suspension) {
    (suspension.before_ ? suspension.before_->after_ : first_) = suspension.after_;
    if (suspension.after_) suspension.after_->before_ = suspension.before_;
    suspension.register_ = nullptr;
  }

 private:
  void shutdown() override {
    while (first_) {
      Suspension& suspension = *first_;
      suspension.leave_queue();
      suspension.abandon();
    }
  }

  Suspension* first_ = nullptr;
};

Task<> Suspension::suspend() {
  auto initiate = [this](Resumption resumption) {
    auto slot = asio::get_associated_cancellation_slot(resumption);
    if (slot.is_connected()) {
      slot.assign([this](asio::cancellation_type type) {
        // After resume() the slot stays connected until the coroutine really runs.
        if (type == asio::cancellation_type::none || !resumption_) return;
        leave_queue();
        resume(asio::error::operation_aborted);
      });
    }
    asio::execution_context& context =
        asio::query(resumption.get_executor(), asio::execution::context);
    asio::use_service<Register>(context).add(*this);
    resumption_.emplace(std::move(resumption));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(initiate,
                                                                               asio::use_awaitable);
}

void Suspension::resume(error_code code) {
  register_->remove(*this);
  const asio::any_io_executor executor = resumption_->get_executor();
  asio::post(executor,
             [resumption = std::move(*resumption_), code]() mutable { resumption(code); });
  resumption_.reset();
}

void Suspension::abandon() {
  register_->remove(*this);
  // The coroutine owns this object: let go of it last.
  const std::optional<Resumption> resumption = std::exchange(resumption_, std::nullopt);
}

class Event::Waiter final : public Suspension {
 public:
  explicit Waiter(Event& event) : event_(event), ahead_(event.last_) {
    (ahead_ ? ahead_->behind_ : event_.first_) = this;
    event_.last_ = this;
  }
  ~Waiter() override { leave_queue(); }

  void leave_queue() noexcept override {
    if (!std::exchange(queued_, false)) return;
    (ahead_ ? ahead_->behind_ : event_.first_) = behind_;
    (behind_ ? behind_->ahead_ : event_.last_) = ahead_;
  }

 private:
  Event& event_;
  Waiter* ahead_;
  Waiter* behind_ = nullptr;
  bool queued_ = true;
};

Event::~Event() {
  while (first_) {
    Waiter& waiter = *first_;
    waiter.leave_queue();
    waiter.abandon();
  }
}

Task<> Event::wait() {
  Waiter waiter(*this);
  co_await waiter.suspend();
}

void Event::notify_all() {
  while (first_) {
    Waiter& waiter = *first_;
    waiter.leave_queue();
    waiter.resume({});
  }
}

}  // namespace sidestream
