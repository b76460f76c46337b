"""What edge and sidecar tell a supervisor: sd_notify(3), with a socket in the place of systemd's.
tests/compose/package_test.py has systemd itself."""

import contextlib
import os
import signal
import socket
import time

import harness
from product import Edge, Sidecar

WATCHDOG_SECONDS = 0.9


class Supervisor:
    def __init__(self, stage, name):
        path = stage.folder / f"{name}.notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.environment = {"NOTIFY_SOCKET": str(path),
                            "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6))}

    def heard(self, seconds):
        """What comes in this time, without waiting any longer."""
        messages, end = [], time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                messages.append(self.socket.recv(1000).decode())
        return messages

    def expect_signs_of(self, role):
        first = self.heard(3)
        harness.expect(first[0] == f"READY=1\nMAINPID={role.pid}", first)
        signs = first[1:]
        harness.expect(set(signs) == {"WATCHDOG=1"}, first)
        harness.expect(len(signs) >= 3 / WATCHDOG_SECONDS, f"{len(signs)} signs in 3 s")
        os.kill(role.pid, signal.SIGSTOP)
        self.heard(0.2)
        harness.expect(not self.heard(2 * WATCHDOG_SECONDS), "one that stands still gives signs")
        os.kill(role.pid, signal.SIGCONT)
        harness.expect(self.heard(WATCHDOG_SECONDS), "one that goes on gives none")


def check_both_programs_are_ready_and_alive(stage):
    port = harness.free_port()
    backend = socket.create_server(("127.0.0.1", 0))
    above_edge, above_sidecar = Supervisor(stage, "edge"), Supervisor(stage, "sidecar")
    edge = Edge(stage, [port], environment=above_edge.environment)
    above_edge.expect_signs_of(edge)
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "one": {"publish": f":{port}", "backend": f"127.0.0.1:{backend.getsockname()[1]}"}},
        environment=above_sidecar.environment)
    above_sidecar.expect_signs_of(sidecar)
    # Once it has handed over, the next one is watched and not the old one, which has a stream.
    sidecar.wait_until_published(f":{port}")
    client = socket.create_connection(("127.0.0.1", port), 5)
    while above_edge.heard(0.05):
        pass
    old = edge.upgrade()
    heard = above_edge.heard(1)
    harness.expect(f"READY=1\nMAINPID={edge.pid}" in heard, heard)
    os.kill(edge.pid, signal.SIGSTOP)
    above_edge.heard(0.2)
    harness.expect(not above_edge.heard(2 * WATCHDOG_SECONDS), "the old one gives signs")
    os.kill(edge.pid, signal.SIGCONT)
    harness.expect(old.running(), "the old one has ended")
    client.close()


if __name__ == "__main__":
    harness.main(globals())
