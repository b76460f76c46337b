"""An edge that is stopped and started again under load, with sockets that somebody else holds
(docs/reliability.md 80; take_over_test.py is about another process that takes over)."""

import json
import signal
import socket
import sys
import threading
import time

import harness
import ticking_streams
from product import Edge, Sidecar

RESTARTS = 5
AGAIN_SECONDS = 1
WORD = b"12345678"


class HeldEdge(Edge):
    """Its public ports are sockets of the test, handed over as systemd does."""

    def __init__(self, stage, listeners, **options):
        self.listeners = listeners
        super().__init__(stage, [one.getsockname()[1] for one in listeners], **options)

    def start(self):
        self.starts_ += 1
        files = [one.fileno() for one in self.listeners]
        moves = "; ".join(f"exec {3 + i}<&{fd}" for i, fd in enumerate(files))
        shell = f"{moves}; LISTEN_FDS={len(files)} LISTEN_PID=$$ exec \"$@\""
        self.program = self.stage.start(
            f"{self.name}-{self.starts_}",
            ["sh", "-c", shell, "sh", harness.program(), "edge", "--config",
             self.write_configuration()], env=self.environment, pass_fds=files)
        return self


class Load:
    """New streams all the time, from several threads. Nobody tries twice."""

    def __init__(self, port, threads=8):
        self.port = port
        self.going = True
        self.good = 0
        self.slowest = 0.0
        self.failures = []
        self.lock_ = threading.Lock()
        self.threads_ = [threading.Thread(target=self.run_, daemon=True) for _ in range(threads)]
        for one in self.threads_:
            one.start()

    def run_(self):
        while self.going:
            began = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10) as client:
                    client.settimeout(10)
                    client.sendall(WORD)
                    harness.expect(client.recv(len(WORD)) == WORD, "no answer")
                with self.lock_:
                    self.good += 1
                    self.slowest = max(self.slowest, time.monotonic() - began)
            except (OSError, harness.Failure) as wrong:
                with self.lock_:
                    self.failures.append(repr(wrong))
            time.sleep(0.02)

    def stop(self):
        self.going = False
        for one in self.threads_:
            one.join(15)


def listener():
    server = socket.create_server(("127.0.0.1", 0), backlog=4096)
    return server


def check_80_restarts_under_load_refuse_nobody(stage):
    backend = echo_backend(stage)
    with listener() as public:
        port = public.getsockname()[1]
        edge = HeldEdge(stage, [public], more={"grace": "5s"})
        sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
            "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{backend}"}})
        sidecar.wait_until_published(f":{port}")
        load = Load(port)
        dead = []
        for _ in range(RESTARTS):
            time.sleep(2)
            edge.program.signal(signal.SIGTERM)
            harness.expect(edge.program.wait(8) == 0, edge.program.tail())
            began = time.monotonic()
            edge.start()
            before = load.good
            harness.eventually(lambda: load.good > before, 8, "streams are served again")
            dead.append(time.monotonic() - began)
        time.sleep(1)
        load.stop()
        print(f"fault 80: {RESTARTS} restarts with sockets that are held: {len(load.failures)} of "
              f"{load.good + len(load.failures)} new streams failed, served again after "
              f"{' '.join(f'{one:.2f}' for one in dead)} s, the slowest waited {load.slowest:.2f} s"
              f" {json.dumps(sorted(set(load.failures))[:3]) if load.failures else ''}")
        harness.expect(not load.failures, load.failures[:3])
        harness.expect(max(dead) <= AGAIN_SECONDS, dead)


def check_80_a_port_that_nobody_publishes_is_answered(stage):
    with listener() as public:
        port = public.getsockname()[1]
        HeldEdge(stage, [public])
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.settimeout(6)
            began = time.monotonic()
            client.sendall(WORD)
            try:
                got = client.recv(10)
            except ConnectionResetError:
                got = b""
            harness.expect(got == b"", got)
            print(f"fault 80: a held port without a service: the client is refused after "
                  f"{time.monotonic() - began:.1f} s")


def check_80_sockets_that_are_none_are_refused(stage):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        wrong.bind(("127.0.0.1", 0))
        edge = HeldEdge(stage, [wrong], start=False)
        edge.start()
        harness.expect(edge.program.wait(5) == 1, "it does not start")
        harness.expect("LISTEN_FDS" in edge.program.output(), edge.program.tail())


def echo_backend(stage):
    port = harness.free_port()
    stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                         port]).wait_for_line("^ready")
    return port


if __name__ == "__main__":
    harness.main(globals())
