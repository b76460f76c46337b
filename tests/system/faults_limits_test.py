"""What happens at limits: of files, of a service (docs/reliability.md 30)."""

import contextlib
import os
import signal
import socket
import sys
import time

import harness
import ticking_streams
from product import Edge, Sidecar

FILES = 256
CPU_SHARE_MAX = 0.05
AGAIN_SECONDS = 1
WORD = b"12345678"


def few_files():
    return [harness.tool("prlimit"), f"--nofile={FILES}:{FILES}"]


class Chain:
    """Client → edge → tunnel → sidecar → a backend that echoes; limits and files as told."""

    def __init__(self, stage, edge=None, sidecar=None, service=None):
        backend = harness.free_port()
        echo = stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                                    backend])
        echo.wait_for_line("^ready")
        self.port = harness.free_port()
        self.edge = Edge(stage, [self.port], **(edge or {}))
        self.sidecar = Sidecar(stage, [self.edge.invite("home", f":{self.port}")], {
            "echo": {"publish": f":{self.port}", "backend": f"127.0.0.1:{backend}",
                     **(service or {})}}, **(sidecar or {}))
        self.sidecar.wait_until_published(f":{self.port}")

    def client(self, seconds=2):
        """A stream that was served once; None when it was refused."""
        client = None
        try:
            client = socket.create_connection(("127.0.0.1", self.port), seconds)
            client.sendall(WORD)
            if client.recv(len(WORD)) == WORD:
                return client
        except OSError:
            pass
        if client:
            client.close()
        return None

    def is_well(self):
        """Everything that is not a stream still has what it needs."""
        for role in (self.edge, self.sidecar):
            harness.expect(role.status(), f"{role.name} answers status")
        harness.expect(self.sidecar.endpoints()[f":{self.port}"]["state"] == "published",
                       "still published")


def served_at_once(chain, count):
    with contextlib.ExitStack() as clients:
        served = [clients.enter_context(one) for one in (chain.client() for _ in range(count))
                  if one]
        chain.is_well()
        used = [role.cpu_seconds() for role in (chain.edge, chain.sidecar)]
        time.sleep(3)
        shares = [(role.cpu_seconds() - before) / 3
                  for role, before in zip((chain.edge, chain.sidecar), used)]
        harness.expect(max(shares) < CPU_SHARE_MAX, f"CPU {shares}")
        for client in served:
            client.sendall(WORD)
            harness.expect(client.recv(len(WORD)) == WORD, "who has a stream keeps it")
        served[0].close()
        began = time.monotonic()
        harness.eventually(chain.client, AGAIN_SECONDS, "a place that is free is given away")
        return len(served), max(shares), time.monotonic() - began


def check_30_few_files_on_either_side(stage):
    chain = Chain(stage, edge={"enter": few_files()})
    served, share, again = served_at_once(chain, 300)
    print(f"fault 30: an edge with {FILES} files: {served} of 300 streams served, all of them live "
          f"on, CPU {share * 100:.1f} %, a place that is free is taken after {again:.2f} s")
    harness.expect(FILES // 2 < served < FILES, served)


def check_30_few_files_of_a_sidecar(stage):
    chain = Chain(stage, sidecar={"enter": few_files()})
    served, share, again = served_at_once(chain, 300)
    print(f"fault 30: a sidecar with {FILES} files: {served} of 300 streams served, all of them live "
          f"on, CPU {share * 100:.1f} %, a place that is free is taken after {again:.2f} s")
    harness.expect(FILES // 2 < served < FILES, served)


def check_30_a_load_that_does_not_fit_is_refused(stage):
    port = harness.free_port()
    edge = Edge(stage, [port], enter=few_files(), more={"limits": {"streams": 1000}}, start=False)
    edge.start()
    code = edge.program.wait(5)
    harness.expect(code == 1, f"exit code {code}")
    for words in ("limits.streams: 1000", "LimitNOFILE=", str(FILES)):
        harness.expect(words in edge.program.output(), edge.program.tail())
    print(f"fault 30: limits.streams: 1000 with {FILES} files: refused, with what to raise")


def check_30_limits_of_a_service(stage):
    chain = Chain(stage, service={"limits": {"streams": 10, "per_client": 3}})
    kept = [chain.client() for _ in range(3)]
    harness.expect(all(kept), "three of one client")
    harness.expect(chain.client() is None, "the fourth is refused")
    kept.pop().close()
    kept.append(harness.eventually(chain.client, AGAIN_SECONDS, "one left, one may come"))
    log = chain.sidecar.program.output()
    harness.expect("limits.per_client" in log, chain.sidecar.program.tail())
    chain.sidecar.configuration["services"]["echo"]["limits"] = {"rate": "5/s"}
    chain.sidecar.write_configuration()
    chain.sidecar.program.signal(signal.SIGHUP)
    time.sleep(1)
    quick = [chain.client() for _ in range(30)]
    count = sum(one is not None for one in quick)
    harness.expect(4 <= count <= 10, f"{count} of 30 at 5/s")
    for client in kept:
        client.sendall(WORD)
        harness.expect(client.recv(len(WORD)) == WORD, "a stream from before the reload")
    print(f"fault 30: per_client 3: the fourth is reset; rate 5/s: {count} of 30 served at once")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
