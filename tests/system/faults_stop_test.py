"""Stopping and reloading with streams alive (docs/reliability.md 28 and 79)."""

import json
import signal
import socket
import sys
import time

import harness
import ticking_streams
from product import Edge, Sidecar

GRACE = "4s"
RELOADS = 100


class Chain:
    """Client → edge → tunnel → sidecar → a backend that echoes."""

    def __init__(self, stage, more=None, ports=1):
        self.stage = stage
        self.backend_port = harness.free_port()
        self.echo = stage.start("echo", [sys.executable, ticking_streams.__file__, "echo",
                                         "127.0.0.1", self.backend_port])
        self.echo.wait_for_line("^ready")
        self.ports = [harness.free_port() for _ in range(ports)]
        self.port = self.ports[0]
        self.edge = Edge(stage, self.ports, more=more)
        self.sidecar = Sidecar(stage, [self.edge.invite("home", *(f":{p}" for p in self.ports))],
                               {"echo": self.service(self.port)}, more=more)
        self.sidecar.wait_until_published(f":{self.port}")

    def service(self, port, **more):
        return {"publish": f":{port}", "backend": f"127.0.0.1:{self.backend_port}", **more}

    def ticking(self, seconds, streams=1, name="clients", interval=0.05):
        program = self.stage.start(name, [
            sys.executable, ticking_streams.__file__, "clients", "127.0.0.1", self.port,
            "--seconds", seconds, "--streams", streams, "--interval", interval])
        program.wait_for_line("^up", seconds=30)
        return program


def verdict_of(program, seconds=60):
    program.wait(seconds)
    return json.loads(program.output().splitlines()[-1])


def refuses(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as client:
            client.settimeout(2)
            client.sendall(b"12345678")
            return client.recv(8) == b""
    except (ConnectionError, TimeoutError):
        return True


def stop_of(chain, role, name):
    """Live streams finish, new ones are refused, the program ends when none is left."""
    live = chain.ticking(2, name=f"live-{name}")
    began = time.monotonic()
    role.program.signal(signal.SIGTERM)
    harness.eventually(lambda: refuses(chain.port), 3, "new streams are refused")
    refused = time.monotonic() - began
    verdict = verdict_of(live)
    harness.expect(verdict["lost"] == 0, verdict)
    code = role.program.wait(3)
    ended = time.monotonic() - began
    harness.expect(code == 0, f"exit code {code}")
    harness.expect(ended < 3.5, f"it ended {ended:.1f} s after the signal, its last stream 2 s")
    print(f"fault 28: {name} stopped: refuses after {refused:.2f} s, 0 of 1 streams lost, ended "
          f"{ended:.1f} s after the signal (the stream lived 2 s more)")


def check_28_a_stopped_edge_lets_streams_finish(stage):
    chain = Chain(stage, {"grace": GRACE})
    stop_of(chain, chain.edge, "edge")


def check_28_a_stopped_sidecar_lets_streams_finish(stage):
    chain = Chain(stage, {"grace": GRACE})
    stop_of(chain, chain.sidecar, "sidecar")


def grace_of(chain, role, other):
    """What outlives the grace is reset, and both sides hear of it."""
    live = chain.ticking(60, interval=0.2)
    began = time.monotonic()
    role.program.signal(signal.SIGTERM)
    code = role.program.wait(4)
    verdict = verdict_of(live, 5)
    ended = time.monotonic() - began
    harness.expect(code == 0 and verdict["lost"] == 1, (code, verdict))
    harness.expect(2 <= ended < 4, f"ended after {ended:.1f} s")
    harness.eventually(lambda: "stream ended" in other.program.output(), 3,
                       f"{other.name} has ended the stream")
    print(f"fault 28: {role.name} with grace 2s: ended after {ended:.2f} s, the client was reset "
          f"({verdict['why'][0]}), and {other.name} knows")


def check_28_the_grace_of_an_edge_ends(stage):
    chain = Chain(stage, {"grace": "2s"})
    grace_of(chain, chain.edge, chain.sidecar)


def check_28_the_grace_of_a_sidecar_ends(stage):
    chain = Chain(stage, {"grace": "2s"})
    grace_of(chain, chain.sidecar, chain.edge)


def check_28_a_second_signal_ends_at_once(stage):
    chain = Chain(stage, {"grace": "60s"})
    chain.ticking(60)
    for role in (chain.sidecar, chain.edge):
        role.program.signal(signal.SIGTERM)
        time.sleep(1)
        harness.expect(role.program.running(), f"{role.name} waits for its stream")
        began = time.monotonic()
        role.program.signal(signal.SIGTERM)
        role.program.wait(2)
        print(f"fault 28: {role.name}: a second signal, ended in {time.monotonic() - began:.2f} s")
        if role is chain.sidecar:  # the edge needs a stream of its own
            role.start()
            role.wait_until_published(f":{chain.port}")
            chain.ticking(60, name="again")


def reload(role, expected=r"configuration reloaded"):
    """Writes the configuration and makes the program read it."""
    before = len(role.log_lines())
    role.write_configuration()
    role.program.signal(signal.SIGHUP)

    def told():
        return any(expected in line for line in role.log_lines()[before:])
    harness.eventually(told, 5, f"{role.name} says {expected!r}")
    return role.log_lines()[before:]


def check_79_reload_100_times_under_load(stage):
    chain = Chain(stage, ports=2)
    live = chain.ticking(25, streams=50)
    new = stage.start("new", [sys.executable, "-c", CONNECT_LOOP, chain.port])
    for number in range(RELOADS):
        chain.sidecar.configuration["services"]["other"] = {
            "publish": f":{chain.ports[1]}", "backend": f"127.0.0.1:{number + 1}"}
        reload(chain.sidecar)
        chain.edge.configuration["limits"] = {"streams": 10_000 + number}
        reload(chain.edge)
    new.signal(signal.SIGTERM)
    new.wait(5)
    connects = json.loads(new.output().splitlines()[-1])
    verdict = verdict_of(live, 60)
    print(f"fault 79: {RELOADS} reloads of both: {connects['failed']} of {connects['good']} new "
          f"streams failed, {verdict['lost']} of {verdict['streams']} live streams lost, longest "
          f"pause {verdict['pause']} s")
    harness.expect(verdict["lost"] == 0, verdict)
    harness.expect(connects["failed"] == 0 and connects["good"] > 100, connects)


CONNECT_LOOP = """
import json, signal, socket, sys, time
going, good, failed, why = True, 0, 0, set()
def stop(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, stop)
while going:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as one:
            one.settimeout(5)
            one.sendall(b"12345678")
            assert one.recv(8) == b"12345678"
        good += 1
    except (OSError, AssertionError) as wrong:
        failed += 1
        why.add(repr(wrong))
    time.sleep(0.005)
print(json.dumps({"good": good, "failed": failed, "why": sorted(why)[:5]}), flush=True)
"""


def check_79_a_bad_file_changes_nothing_and_says_why(stage):
    chain = Chain(stage)
    live = chain.ticking(4)
    for role in (chain.sidecar, chain.edge):
        good = dict(role.configuration)
        role.configuration = {**good, "surprise": 1}
        lines = reload(role, "not reloaded")
        harness.expect(any("surprise" in line and f"{role.role}.yaml" in line for line in lines),
                       lines)
        role.configuration = good
        (role.folder / f"{role.role}.yaml").write_text("{")
        role.program.signal(signal.SIGHUP)
        time.sleep(0.5)
        harness.expect(role.program.running(), role.program.tail())
        reload(role)
    harness.expect(verdict_of(live)["lost"] == 0, "the live stream")
    print("fault 79: a file with mistakes, a file that is no YAML: told, nothing changed")


def check_79_what_changed_takes_effect(stage):
    chain = Chain(stage, ports=2)
    live = chain.ticking(12)
    first, second = chain.ports
    # The service moves to the other port: its live stream goes on.
    chain.sidecar.configuration["services"] = {"echo": chain.service(second)}
    reload(chain.sidecar)
    chain.sidecar.wait_until_published(f":{second}")
    harness.eventually(lambda: refuses(first), 5, "the first port serves no more")
    harness.expect(not refuses(second), "the second port serves")
    # The edge closes a port.
    chain.edge.configuration["public"]["ports"] = [first]
    reload(chain.edge)
    harness.eventually(lambda: refuses(second), 5, "the second port is closed")
    chain.edge.configuration["public"]["ports"] = [first, second]
    reload(chain.edge)
    harness.eventually(lambda: not refuses(second), 5, "the second port is open again")
    # What needs a restart is said.
    chain.edge.configuration["tunnel"]["mtu"] = 1300
    lines = reload(chain.edge)
    harness.expect(any("next start" in line and "tunnel" in line for line in lines), lines)
    verdict = verdict_of(live)
    harness.expect(verdict["lost"] == 0, verdict)
    print("fault 79: a service moved, a port closed and opened: in effect, 0 streams lost")


if __name__ == "__main__":
    harness.main(globals())
