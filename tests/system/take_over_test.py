"""Another process that takes over from a running edge or sidecar: no client is refused, no live
stream ends (docs/reliability.md 80, docs/protocols/handover.md)."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import harness
import ticking_streams
from product import Edge, Sidecar
from upgrade_test import WORD, HeldEdge, Load, echo_backend, listener

UPGRADES = 5
# Alone it is a few tenths of a second.
WAITED_SECONDS_MAX = 3


class Ticking:
    """Live streams that say something every so often, for so long."""

    number = 0

    def __init__(self, stage, port, streams, seconds, interval):
        Ticking.number += 1
        self.ends = time.monotonic() + seconds
        self.program = stage.start(
            f"clients-{Ticking.number}",
            [sys.executable, ticking_streams.__file__, "clients", "127.0.0.1", port, "--streams",
             streams, "--seconds", seconds, "--interval", interval])
        self.program.wait_for_line("^up", 20)

    def verdict(self):
        self.program.wait(max(0, self.ends - time.monotonic()) + 30)
        return json.loads(self.program.output().splitlines()[-1])


def published_pair(stage, edge_more=None, sidecar_more=None):
    """An edge, a sidecar and an echo behind them, and the public port."""
    backend = echo_backend(stage)
    port = harness.free_port()
    edge = Edge(stage, [port], more=edge_more)
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{backend}"}}, more=sidecar_more)
    sidecar.wait_until_published(f":{port}")
    return edge, sidecar, port


def upgrade_under_load(stage, what, role, port, streams=20, interval=0.05, pause=0.5):
    """Upgrades `role` five times; streams of each of its processes live until the end."""
    load = Load(port)
    took, old, ticking = [], [], []
    lives = UPGRADES * (pause + 1) + 5
    ends = time.monotonic() + lives
    for _ in range(UPGRADES):
        ticking.append(Ticking(stage, port, streams, max(1, ends - time.monotonic()), interval))
        time.sleep(pause)
        began = time.monotonic()
        old.append(role.upgrade())
        took.append(time.monotonic() - began)
    time.sleep(1)
    status = role.status()
    harness.expect(len(status["predecessors"]) == UPGRADES, status["predecessors"])
    harness.eventually(lambda: [one["streams"] for one in role.status()["predecessors"]] ==
                       [streams] * UPGRADES, 5, "each process before has its streams")
    verdicts = [one.verdict() for one in ticking]
    load.stop()
    ended = [one.wait(15) for one in old]
    lost = sum(one["lost"] for one in verdicts)
    print(f"fault 80: {what} upgraded {UPGRADES} times: {len(load.failures)} of "
          f"{load.good + len(load.failures)} new streams failed, the slowest waited "
          f"{load.slowest:.2f} s; {lost} of {UPGRADES * streams} live streams lost, the longest "
          f"waited {max(one['pause'] for one in verdicts):.2f} s; took over in "
          f"{' '.join(f'{one:.2f}' for one in took)} s "
          f"{json.dumps(sorted(set(load.failures))[:3]) if load.failures else ''}")
    harness.expect(not load.failures, load.failures[:3])
    harness.expect(lost == 0, verdicts)
    harness.expect(load.slowest < WAITED_SECONDS_MAX, load.slowest)
    harness.expect(ended == [0] * UPGRADES, ended)
    harness.eventually(lambda: not role.status()["predecessors"], 5, "no process before is left")


def check_80_an_edge_with_a_thousand_streams_is_upgraded_under_load(stage):
    edge, _, port = published_pair(stage)
    upgrade_under_load(stage, "an edge", edge, port, streams=200, interval=1)


def check_80_a_sidecar_is_upgraded_under_load(stage):
    _, sidecar, port = published_pair(stage)
    upgrade_under_load(stage, "a sidecar", sidecar, port)


def round_trip(client):
    client.sendall(WORD)
    got = b""
    while len(got) < len(WORD):
        part = client.recv(64)
        harness.expect(part, "the stream has ended")
        got += part
    harness.expect(got == WORD, got)


def expect_reset(client):
    """The stream has ended, and not as if all had been said."""
    try:
        got = client.recv(8)
        raise harness.Failure(f"got {got!r}, no reset")
    except ConnectionResetError:
        pass
    client.close()


def live_stream(port):
    client = socket.create_connection(("127.0.0.1", port), 5)
    client.settimeout(5)
    round_trip(client)
    return client


def check_80_a_process_that_cannot_take_over_leaves_everything_as_it_was(stage):
    edge, _, port = published_pair(stage)
    client = live_stream(port)
    configuration = edge.folder / "edge.yaml"
    good = configuration.read_text()

    def expect_refused(words, file=good):
        configuration.write_text(file)
        done = harness.run([harness.program(), "edge", "--take-over", "--config", configuration],
                           check=False, env=edge.environment, seconds=15)
        configuration.write_text(good)
        harness.expect(done.returncode != 0, "it started")
        harness.expect(words in done.stdout + done.stderr, done.stdout + done.stderr)
        round_trip(client)
        live_stream(port).close()

    other = json.loads(good)
    other["tunnel"]["listen"] = f"127.0.0.1:{harness.free_port()}"
    expect_refused("tunnel.listen", json.dumps(other))
    expect_refused("streams", json.dumps({**json.loads(good), "limits": {"streams": "many"}}))
    nobody = json.loads(good)
    nobody["admin"] = f"unix:{edge.folder}/nobody.sock"
    expect_refused("nobody to take over from", json.dumps(nobody))
    # Without being told so, nobody takes over.
    done = harness.run([harness.program(), "edge", "--config", configuration], check=False,
                       env=edge.environment, seconds=15)
    harness.expect(done.returncode == 1 and "--take-over" in done.stderr, done.stderr)
    round_trip(client)
    client.close()


def frame(kind, body=b""):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def hear(channel, kind):
    """A frame of this kind; descriptors that come with it are closed."""
    header, files, _, _ = socket.recv_fds(channel, 6, 253)
    for fd in files:
        os.close(fd)
    harness.expect(len(header) == 6, "the running process has closed the conversation")
    got, _, length = struct.unpack(">BBI", header)
    body = b""
    while len(body) < length:
        body += channel.recv(length - len(body))
    harness.expect(got == kind, f"{got}: {body}")
    return body


HELLO, REFUSAL, OFFER, READY, STATE = 1, 2, 4, 5, 6


def check_80_a_next_process_may_die_at_each_step(stage):
    edge, _, port = published_pair(stage)
    client = live_stream(port)
    for steps in range(4):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(5)
            channel.connect(f"{edge.admin}.handover")
            hello = {"protocol": 1, "program": "edge", "version": "9"}
            if steps >= 1:
                channel.sendall(frame(HELLO, json.dumps(hello).encode()))
            if steps >= 2:
                hear(channel, OFFER)
            if steps >= 3:
                channel.sendall(frame(READY))
                hear(channel, STATE)
        round_trip(client)
        live_stream(port).close()
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(5)
        channel.connect(f"{edge.admin}.handover")
        channel.sendall(frame(HELLO, json.dumps({**hello, "protocol": 2}).encode()))
        harness.expect(b"protocol" in hear(channel, REFUSAL), "it says why")
    edge.upgrade()
    round_trip(client)
    client.close()


def check_80_what_is_left_of_old_processes_ends_with_the_new_one(stage):
    edge, _, port = published_pair(stage, edge_more={"grace": "1s"})
    client = live_stream(port)
    old = edge.upgrade()
    old.wait_for_line("handed over")
    other = live_stream(port)
    edge.program.signal(signal.SIGTERM)
    began = time.monotonic()
    harness.expect(edge.program.wait(10) == 0, edge.program.tail())
    harness.expect(old.wait(5) == 0, old.tail())
    harness.expect(time.monotonic() - began > 0.9, "live streams had no time")
    for one in (client, other):
        expect_reset(one)


def check_80_a_killed_edge_takes_its_predecessors_with_it(stage):
    edge, _, port = published_pair(stage, sidecar_more={"grace": "1s"})
    client = live_stream(port)
    old = edge.upgrade()
    edge.program.signal(signal.SIGKILL)
    harness.expect(old.wait(5) == 0, old.tail())
    expect_reset(client)


def check_80_sockets_that_a_supervisor_holds_go_over(stage):
    backend = echo_backend(stage)
    with listener() as public:
        port = public.getsockname()[1]
        edge = HeldEdge(stage, [public])
        sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
            "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{backend}"}})
        sidecar.wait_until_published(f":{port}")
        client = live_stream(port)
        for _ in range(2):
            edge.upgrade()
            round_trip(client)
            live_stream(port).close()
        client.close()


def check_80_in_the_background_for_a_supervisor(stage):
    edge, _, port = published_pair(stage)
    client = live_stream(port)
    told = stage.folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(told))
        supervisor.settimeout(5)
        environment = {**edge.environment, "NOTIFY_SOCKET": str(told)}
        command = [harness.program(), "edge", "--take-over", "--background", "--config",
                   edge.folder / "edge.yaml"]
        log = stage.folder / "background.log"
        with open(log, "wb") as output:
            done = subprocess.run([str(word) for word in command], env=environment, timeout=20,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  check=False)
        harness.expect(done.returncode == 0, log.read_text())
        lines = supervisor.recv(1000).decode().splitlines()
        harness.expect(lines[0] == "READY=1", lines)
        process = int(lines[1].removeprefix("MAINPID="))
        try:
            harness.expect(process != edge.pid, "it is another process")
            round_trip(client)
            client.close()
            harness.expect(edge.program.wait(5) == 0, edge.program.tail())
            # One that fails says so.
            edge.configuration["tunnel"]["listen"] = f"127.0.0.1:{harness.free_port()}"
            edge.write_configuration()
            done = harness.run(command, env=environment, check=False)
            harness.expect(done.returncode == 1 and "tunnel.listen" in done.stderr, done.stderr)
            live_stream(port).close()
        finally:
            os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    harness.main(globals())
