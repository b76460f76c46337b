#include "streams/event_io.h"

#include <gtest/gtest.h>

#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

struct Flag {
  bool& value;
  ~Flag() { value = true; }
};

Task<> wait_and_note(Event& event, std::string name, std::string& log) {
  co_await event.wait();
  log += name;
}

Task<> wait_for_ever(Event& event, bool& destroyed) {
  const Flag flag{destroyed};
  co_await event.wait();
}

TEST(Event, WakesEveryoneWhoWaitsInTheirOrder) {
  VirtualLoop loop;
  Event event;
  std::string log;
  auto a = loop.start(wait_and_note(event, "a", log));
  auto b = loop.start(wait_and_note(event, "b", log));
  loop.settle();
  EXPECT_TRUE(event.has_waiters());
  event.notify_all();
  EXPECT_EQ(log, "");
  loop.settle();
  EXPECT_EQ(log, "ab");
  EXPECT_FALSE(event.has_waiters());
}

TEST(Event, IsNotRememberedForThoseWhoComeLater) {
  VirtualLoop loop;
  Event event;
  std::string log;
  event.notify_all();
  auto late = loop.start(wait_and_note(event, "late", log));
  loop.settle();
  EXPECT_FALSE(late.done());
}

TEST(Event, CancelledWaiterLeavesTheOthers) {
  VirtualLoop loop;
  Event event;
  std::string log;
  auto a = loop.start(wait_and_note(event, "a", log));
  auto b = loop.start(wait_and_note(event, "b", log));
  auto c = loop.start(wait_and_note(event, "c", log));
  loop.settle();
  b.cancel();
  loop.settle();
  EXPECT_EQ(b.error(), asio::error::operation_aborted);
  event.notify_all();
  loop.settle();
  EXPECT_EQ(log, "ac");
}

TEST(Event, CancellationBehindTheNotificationComesTooLate) {
  VirtualLoop loop;
  Event event;
  std::string log;
  auto a = loop.start(wait_and_note(event, "a", log));
  loop.settle();
  event.notify_all();
  a.cancel();
  loop.settle();
  EXPECT_EQ(log, "a");
}

TEST(Event, DestroyedEventDestroysItsWaiters) {
  VirtualLoop loop;
  bool destroyed = false;
  auto event = std::make_unique<Event>();
  asio::co_spawn(loop.executor(), wait_for_ever(*event, destroyed),
                 [](const std::exception_ptr&) { FAIL() << "must not be resumed"; });
  loop.settle();
  event.reset();
  loop.settle();
  EXPECT_TRUE(destroyed);
}

TEST(Event, DestroyedContextDestroysWhatIsSuspendedInIt) {
  Event event;
  bool destroyed = false;
  {
    VirtualLoop loop;
    asio::co_spawn(loop.executor(), wait_for_ever(event, destroyed),
                   [](const std::exception_ptr&) { FAIL() << "must not be resumed"; });
    loop.settle();
    EXPECT_TRUE(event.has_waiters());
  }
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(event.has_waiters());
}

}  // namespace
}  // namespace sidestream
