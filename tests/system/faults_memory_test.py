"""A thousand streams whose readers have stopped, in little memory (docs/reliability.md 31): in control
groups of version 1 where this user can make them, else with `limits.memory`."""

import contextlib
import os
import pathlib
import re
import socket
import sys
import threading
import time

import harness
import ticking_streams
from product import Edge, Sidecar

STREAMS = 1000
OLD_STREAMS = 10
BULK_SECONDS = 4
STALL_SECONDS = 30
AGAIN_SECONDS = 30
WORD = b"12345678"
GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class Group:
    """A control group of memory for one program; none where this user cannot make one, then
    `limits.memory` stands for it and what is resident is looked at."""

    def __init__(self, name, limit_mib):
        self.limit_mib = limit_mib
        self.folder = GROUPS / f"sidestream-{os.getpid()}-{name}"
        try:
            self.folder.mkdir()
            (self.folder / "memory.limit_in_bytes").write_text(str(limit_mib << 20))
        except OSError:
            self.folder = None

    @property
    def enter(self):
        if not self.folder:
            return []
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs; exec "$@"', "sh"]

    @property
    def more(self):
        return {} if self.folder else {"limits": {"memory": f"{self.limit_mib}MiB"}}

    def most_bytes(self):
        if not self.folder:
            return None
        return int((self.folder / "memory.max_usage_in_bytes").read_text())

    def ended_by_kernel(self):
        if not self.folder:
            return 0
        text = (self.folder / "memory.oom_control").read_text()
        return int(re.search(r"^oom_kill (\d+)", text, re.MULTILINE).group(1))

    def remove(self):
        if self.folder:
            harness.eventually(lambda: not (self.folder / "cgroup.procs").read_text(), 10, "empty")
            self.folder.rmdir()


class Flood:
    """A backend and clients; one side sends without end and the other never reads."""

    def __init__(self, upwards):
        self.server = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.server.getsockname()[1]
        self.clients, self.accepted = [], []
        self.senders = self.clients if upwards else self.accepted
        self.upwards = upwards
        self.going = True
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.send, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                connection.setblocking(False)
                self.accepted.append(connection)

    def send(self):
        block = bytes(65536)
        while self.going:
            sent = 0
            for one in list(self.senders):
                with contextlib.suppress(OSError):
                    sent += one.send(block)
            if not sent:
                time.sleep(0.05)

    def add_client(self, port):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(5)
        with contextlib.suppress(OSError):
            one.connect(("127.0.0.1", port))
            one.setblocking(False)
            self.clients.append(one)

    def alive(self):
        """Of the clients, in the order in which they came: which have a connection still."""
        states = []
        for one in self.clients:
            error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            states.append(error == 0 and info[0] == 1)  # TCP_ESTABLISHED
        return states

    def close(self):
        self.going = False
        self.server.close()
        for one in self.clients + self.accepted:
            one.close()


def answer_of(client):
    answer = b""
    while len(answer) < len(WORD) and (part := client.recv(len(WORD) - len(answer))):
        answer += part
    return answer


def echo_client(port):
    client = socket.create_connection(("127.0.0.1", port), 5)
    client.sendall(WORD)
    harness.expect(answer_of(client) == WORD, "an old stream is served")
    return client


def stalled_readers(stage, limit_mib, upwards=False, seconds=BULK_SECONDS):
    groups = {role: Group(role, limit_mib) for role in ("edge", "sidecar")}
    flood = Flood(upwards)
    echo_port = harness.free_port()
    echo = stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                                echo_port])
    echo.wait_for_line("^ready")
    bulk, ticking = harness.free_port(), harness.free_port()
    edge = Edge(stage, [bulk, ticking], enter=groups["edge"].enter, more=groups["edge"].more)
    sidecar = Sidecar(stage, [edge.invite("home", f":{bulk}", f":{ticking}")], {
        "bulk": {"publish": f":{bulk}", "backend": f"127.0.0.1:{flood.port}", "health": "none"},
        "echo": {"publish": f":{ticking}", "backend": f"127.0.0.1:{echo_port}", "health": "none"}},
        enter=groups["sidecar"].enter, more=groups["sidecar"].more)
    sidecar.wait_until_published(f":{bulk}", f":{ticking}")
    old = [echo_client(ticking) for _ in range(OLD_STREAMS)]
    resident = 0
    for number in range(STREAMS):
        flood.add_client(bulk)
        if number % 100 == 99:
            resident = max(resident, edge.resident_bytes(), sidecar.resident_bytes())
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for client in old:
            client.sendall(WORD)
            harness.expect(answer_of(client) == WORD, "an old stream goes on")
        resident = max(resident, edge.resident_bytes(), sidecar.resident_bytes())
        time.sleep(0.2)
    for role in (edge, sidecar):
        harness.expect(role.status(), f"{role.name} answers status")
    harness.expect(all(groups[role].ended_by_kernel() == 0 for role in groups), "no OOM kill")
    states = flood.alive()
    kept = sum(states)
    newest_kept = max((i for i, alive in enumerate(states) if alive), default=-1)
    oldest_lost = states.index(False) if False in states else len(states)
    flood.close()
    for client in old:
        client.close()

    def serves_again():
        with contextlib.suppress(OSError, harness.Failure):
            echo_client(ticking).close()
            return True
        return False

    began = time.monotonic()
    harness.eventually(serves_again, AGAIN_SECONDS, "new streams are served again")
    again = time.monotonic() - began
    most = [groups[role].most_bytes() for role in groups]
    edge.program.stop()
    sidecar.program.stop()
    for group in groups.values():
        group.remove()
    seen = (f"most {most[0] >> 20} and {most[1] >> 20} MiB in their groups" if most[0]
            else f"most {resident >> 20} MiB resident")
    print(f"fault 31, {limit_mib} MiB, {'up' if upwards else 'down'}: {kept} of {STREAMS} stalled streams live on, "
          f"the newest that lives is number {newest_kept + 1}, the oldest that was lost number "
          f"{oldest_lost + 1}; {OLD_STREAMS} of {OLD_STREAMS} older ones were served throughout; "
          f"{seen}; no OOM kill; new streams {again:.1f} s after the flood")
    harness.expect(kept >= STREAMS // 20, f"{kept} live on")
    if not most[0]:
        harness.expect(resident < limit_mib << 20, f"{resident} bytes")
    return kept, oldest_lost


def check_31_readers_that_stop(stage):
    kept, _ = stalled_readers(stage, 64)
    harness.expect(kept >= STREAMS // 2, f"{kept} of {STREAMS} fit")


def long_31_the_newest_go_where_there_is_less(stage):
    kept, oldest_lost = stalled_readers(stage, 40)
    harness.expect(oldest_lost >= STREAMS // 20, f"number {oldest_lost + 1} was lost")
    harness.expect(kept < STREAMS, "less memory than a thousand streams take")


def long_48_readers_that_stay_stopped(stage):
    for limit_mib in (64, 40):
        stalled_readers(stage, limit_mib, seconds=STALL_SECONDS)


def long_31_readers_that_stop_upwards(stage):
    stalled_readers(stage, 64, upwards=True)


def long_31_the_newest_go_upwards(stage):
    stalled_readers(stage, 40, upwards=True)


if __name__ == "__main__":
    harness.main(globals())
