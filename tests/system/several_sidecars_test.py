"""Several sidecars that publish the same endpoint on one edge: by priority or in turns, and what
clients see when one vanishes, stops and comes back."""

import signal
import socket
import time

import harness
from faults_streams_test import Listener
from product import Edge, Sidecar

CONNECT_SECONDS = 4  # of the edge to one sidecar (edge/edge_router_io.h)
LEASE_SECONDS = 8
STREAMS = 40
# A machine with other work.
SLACK_SECONDS = 3


class Homes:
    """Sidecars whose backends say their sidecar's name."""

    def __init__(self, stage, **priorities):
        self.port = harness.free_port()
        self.endpoint = f":{self.port}"
        edge = Edge(stage, [self.port])
        self.sidecars = {}
        self.listeners = []
        for name, priority in priorities.items():
            backend = Listener(lambda connection, word=name.encode(): connection.sendall(word))
            self.listeners.append(backend)
            self.sidecars[name] = Sidecar(
                stage, [edge.invite(name, self.endpoint)],
                {"it": {"publish": self.endpoint, "backend": f"127.0.0.1:{backend.port}",
                        "priority": priority}}, name=name)

    def wait_for(self, **states):
        for name, state in states.items():
            sidecar = self.sidecars[name]
            harness.eventually(
                lambda: sidecar.endpoints().get(self.endpoint, {}).get("state") == state,
                LEASE_SECONDS + SLACK_SECONDS, f"{name} is {state}")

    def who(self):
        """Whose a stream is, and after how many seconds that is known."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), 20) as client:
            return client.recv(100).decode(), time.monotonic() - began


def check_the_greatest_priority_serves_and_the_next_takes_over(stage):
    homes = Homes(stage, first=200, second=100)
    homes.wait_for(first="published", second="waiting")
    harness.expect({homes.who()[0] for _ in range(8)} == {"first"}, "the greatest priority serves")
    homes.sidecars["first"].program.signal(signal.SIGKILL)
    word, seconds = homes.who()
    harness.expect(word == "second" and seconds < CONNECT_SECONDS + SLACK_SECONDS,
                   f"the first client: {word} after {seconds:.1f} s")
    waits = [homes.who() for _ in range(8)]
    harness.expect({word for word, _ in waits} == {"second"}, waits)
    longest = max(seconds for _, seconds in waits)
    harness.expect(longest < 1, f"nobody else waits for the one that vanished: {longest:.1f} s")
    print(f"a sidecar vanishes: {seconds:.1f} s for the client that finds out, "
          f"{longest * 1000:.0f} ms at most for the next ones")
    homes.wait_for(second="published")
    homes.sidecars["first"].start()
    homes.wait_for(first="published", second="waiting")
    harness.eventually(lambda: homes.who()[0] == "first", 10, "the first one is back")
    # One that stops says so.
    homes.sidecars["first"].program.signal(signal.SIGTERM)
    homes.wait_for(second="published")
    word, seconds = homes.who()
    harness.expect(word == "second" and seconds < 1, f"{word} after {seconds:.1f} s")


def check_equal_ones_share(stage):
    homes = Homes(stage, one=100, two=100)
    homes.wait_for(one="published", two="published")
    words = [homes.who()[0] for _ in range(STREAMS)]
    harness.expect(min(words.count("one"), words.count("two")) > STREAMS // 8, words)
    homes.sidecars["one"].program.signal(signal.SIGTERM)
    harness.eventually(lambda: {homes.who()[0] for _ in range(8)} == {"two"}, 10, "two has all")


if __name__ == "__main__":
    harness.main(globals())
