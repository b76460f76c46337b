"""Thousands of streams that say nothing (docs/reliability.md 29)."""

import contextlib
import resource
import selectors
import socket
import threading
import time

import harness
from product import Edge, Sidecar

SETTLE_SECONDS = 20  # what was needed to open them comes back
IDLE_SECONDS = 15
CPU_SHARE_MAX = 0.01
WORD = b"12345678"
# What the kernel keeps for a connection is not looked at; this is what may not grow with time.
GROWTH_BYTES_MAX = 2 << 20


class Echo:
    """Many connections, one thread."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.listener:
                        selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                        continue
                    part = key.fileobj.recv(4096)
                    if part:
                        key.fileobj.sendall(part)
                    else:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()


def idle(stage, count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    harness.expect(hard >= 2 * count + 100, f"{hard} files are too few for {count} streams")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    echo, port = Echo(), harness.free_port()
    more = {"limits": {"streams": count + 100, "per_client": count + 100}}
    edge = Edge(stage, [port], more=more)
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{echo.port}"}},
        more={"limits": {"streams": count + 100}})
    sidecar.wait_until_published(f":{port}")
    roles = (edge, sidecar)
    before = [role.own_bytes() for role in roles]
    with contextlib.ExitStack() as clients:
        streams = []
        for _ in range(count):
            streams.append(clients.enter_context(socket.create_connection(("127.0.0.1", port), 10)))
            streams[-1].sendall(WORD)
        for one in streams:
            one.settimeout(20)
            harness.expect(one.recv(len(WORD)) == WORD, "each is served")
        time.sleep(SETTLE_SECONDS)
        held = [role.own_bytes() for role in roles]
        used = [role.cpu_seconds() for role in roles]
        time.sleep(IDLE_SECONDS)
        shares = [(role.cpu_seconds() - one) / IDLE_SECONDS for role, one in zip(roles, used)]
        grown = [role.own_bytes() - one for role, one in zip(roles, held)]
        timers = [role.status()["timers"] for role in roles]
        each = [(one - begun) / count / 1024 for one, begun in zip(held, before)]
        for one in streams[:: max(1, count // 100)]:
            one.sendall(WORD)
            harness.expect(one.recv(len(WORD)) == WORD, "who has a stream keeps it")
    print(f"fault 29: {count} idle streams: {each[0]:.1f} and {each[1]:.1f} KiB each in edge and "
          f"sidecar, CPU {100 * shares[0]:.2f} and {100 * shares[1]:.2f} %, {timers} timers, "
          f"{grown} bytes more after {IDLE_SECONDS} s")
    harness.expect(max(shares) < CPU_SHARE_MAX, f"CPU {shares}")
    harness.expect(max(grown) < GROWTH_BYTES_MAX, grown)


def check_29_two_thousand_idle_streams(stage):
    idle(stage, 2000)


def long_29_nine_thousand_idle_streams(stage):
    """As many as 20,000 files for the test, which has both ends, allow."""
    idle(stage, 9000)


if __name__ == "__main__":
    harness.main(globals())
