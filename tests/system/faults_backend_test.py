"""Fault 46 (docs/reliability.md) with a real network between sidecar and backend: refused, no route,
and no answer to the SYN, for good or for 30 s. Needs root (network namespaces, nft).

    client ─▶ edge ═ sidecar (namespace home) ─── backend (namespace lan)
"""

import os
import re
import sys
import time

import harness
from product import Edge, Sidecar

sys.path.append(str(harness.ROOT / "tests/peers"))

from namespaces import Namespaces  # noqa: E402

HOME, LAN, NOWHERE = "192.0.2.1", "192.0.2.2", "198.51.100.1"
PORT, CLOSED_PORT = 7000, 7001
CONNECT_SECONDS = 10  # of a sidecar to a backend (sidecar/service_io.cpp)
LATE_SECONDS = CONNECT_SECONDS + 2
SLOW_SECONDS = 30
# A SYN and what the kernel repeats of it in 10 s: after 1, 3 and 7 s, since Linux 6.5 after 1, 2, 3,
# 4, 5 and 7 s.
SYNS_PER_STREAM_MAX = 7
RULES = """
table inet t {
  chain in {
    type filter hook input priority 0
    tcp dport %d tcp flags syn counter name syns
    tcp dport %d jump silence
  }
  counter syns {}
  chain silence {}
}
"""
GREETER = f"""
import contextlib, socket
server = socket.create_server(("{LAN}", {PORT}), backlog=64)
print("ready", flush=True)
while True:
    with server.accept()[0] as connection, contextlib.suppress(OSError):
        connection.sendall(b"here")
"""
CLIENT = """
import socket, sys, time
began = time.monotonic()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as stream:
    try:
        how = stream.recv(100).decode() or "end"
    except ConnectionResetError:
        how = "reset"
print(how, time.monotonic() - began)
"""


class Lan:
    """Edge and sidecar in one namespace, the backend in another one, whose firewall the test moves."""

    def __init__(self, stage, spaces, services):
        self.home, self.lan = spaces.add("home"), spaces.add("lan")
        spaces.link(self.home, f"{HOME}/24", self.lan, f"{LAN}/24")
        self.home.run("ip", "route", "add", "unreachable", f"{NOWHERE}/32")
        self.lan.run("nft", "-f", "-", input=RULES % (PORT, PORT))
        stage.start("greeter", [*self.lan.enter, sys.executable, "-c", GREETER]).wait_for_line(
            "^ready")
        self.ports = {name: harness.free_port() for name in services}
        self.edge = Edge(stage, list(self.ports.values()), enter=self.home.enter)
        self.sidecar = Sidecar(
            stage, [self.edge.invite("home", *(f":{port}" for port in self.ports.values()))],
            {name: {"publish": f":{self.ports[name]}", **service}
             for name, service in services.items()}, enter=self.home.enter)

    def published(self, *names):
        self.sidecar.wait_until_published(*(f":{self.ports[name]}" for name in names))

    def be_silent(self, silent):
        self.lan.run("nft", *(("add", "rule", "inet", "t", "silence", "drop") if silent
                              else ("flush", "chain", "inet", "t", "silence")))

    def syns(self):
        """How many SYNs came to the backend's port so far."""
        text = self.lan.run("nft", "list", "counter", "inet", "t", "syns")
        return int(re.search(r"packets (\d+)", text).group(1))

    def client(self, name, seconds):
        """What a client of a service sees first, and after how long: (end or bytes, seconds)."""
        said = harness.run([*self.home.enter, sys.executable, "-c", CLIENT, self.ports[name]],
                           seconds=seconds).stdout.split()
        return said[0], float(said[1])

    def told(self, word):
        return [line for line in self.sidecar.log_lines()
                if "stream ended" in line and word in line]


def check_46_each_way_of_not_being_reached_is_distinct(stage):
    with Namespaces() as spaces:
        lan = Lan(stage, spaces, {
            name: {"backend": backend, "health": "none"} for name, backend in {
                "good": f"{LAN}:{PORT}", "closed": f"{LAN}:{CLOSED_PORT}",
                "no-route": f"{NOWHERE}:{PORT}", "silent": f"{LAN}:{PORT}"}.items()})
        lan.published(*lan.ports)
        harness.expect(lan.client("good", 10)[0] == "here", "the backend answers")
        for name, words, most in (("closed", "Connection refused", 1.0),
                                  ("no-route", "No route to host", 1.0)):
            how, seconds = lan.client(name, LATE_SECONDS)
            harness.expect(how == "reset" and seconds < most, f"{name}: {how} after {seconds:.1f} s")
            harness.expect(len(lan.told(words)) == 1, f"one line says {words}\n"
                                                      f"{lan.sidecar.program.tail()}")
            print(f"fault 46: {name}: reset after {seconds * 1000:.1f} ms, one line: {words}")
        lan.be_silent(True)
        before = lan.syns()
        how, seconds = lan.client("silent", 2 * LATE_SECONDS)
        syns = lan.syns() - before
        harness.expect(how == "reset" and CONNECT_SECONDS - 1 < seconds < LATE_SECONDS,
                       f"silent: {how} after {seconds:.1f} s")
        harness.expect(len(lan.told("timed out")) == 1, lan.sidecar.program.tail())
        harness.expect(syns <= SYNS_PER_STREAM_MAX, f"{syns} SYNs for one stream")
        print(f"fault 46: SYN dropped: reset after {seconds:.2f} s, one line: Connection timed out; "
              f"{syns} SYNs")


def check_46_a_backend_that_answers_after_30_seconds(stage):
    with Namespaces() as spaces:
        lan = Lan(stage, spaces, {
            "plain": {"backend": f"{LAN}:{PORT}", "health": "none"},
            "watched": {"backend": f"{LAN}:{PORT}"}})
        lan.published(*lan.ports)
        lan.be_silent(True)
        began, before = time.monotonic(), lan.syns()
        streams = 0
        while time.monotonic() - began < SLOW_SECONDS:
            how, seconds = lan.client("plain", 2 * LATE_SECONDS)
            streams += 1
            harness.expect(how == "reset" and seconds < LATE_SECONDS, f"{how} after {seconds:.1f} s")
        harness.expect(lan.sidecar.endpoints()[f":{lan.ports['watched']}"]["state"] == "withdrawn",
                       "the health check has withdrawn the other service")
        slow = time.monotonic() - began
        syns = lan.syns() - before
        lan.be_silent(False)
        back = time.monotonic()
        how, seconds = lan.client("plain", LATE_SECONDS)
        harness.expect(how == "here", f"{how} although the backend answers again")
        lan.published("watched")
        print(f"fault 46: no answer for {slow:.0f} s: {streams} streams one after the other, each "
              f"reset within {CONNECT_SECONDS} s, {syns} SYNs with those of health checks; then served "
              f"in {seconds * 1000:.0f} ms, published again after {time.monotonic() - back:.1f} s")
        harness.expect(syns < 2 * slow, f"{syns} SYNs in {slow:.0f} s: a storm")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
