"""Two edges and one sidecar that publishes on both; one edge dies. And both programs without any
privilege (docs/reliability.md 40, 83)."""

import os
import pathlib
import re
import shutil
import sys
import time

import harness
import ticking_streams
from named_backends import ask, named_backend, service
from product import Edge, Sidecar
from router_edge import free_range

NOBODY = 65534
LIVE_SECONDS = 12
BACK_SECONDS = 10


def granted(edge):
    """How many endpoints an edge has granted."""
    status = edge.status() or {"sidecars": []}
    return sum(one["state"] == "granted" for sidecar in status["sidecars"]
               for one in sidecar["endpoints"])


def check_83_of_two_edges_one_dies(stage):
    port, live_port = free_range(2), harness.free_port()
    good, _ = named_backend(b"good")
    echo = stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                                live_port])
    echo.wait_for_line("^ready")
    # Each has addresses of its own, as two hosts have, and the same endpoints.
    edges = {name: Edge(stage, [port, port + 1], name=name, address=address)
             for name, address in (("first", "127.0.0.1"), ("second", "127.0.0.2"))}
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}", f":{port + 1}")
                              for edge in edges.values()], {
        **service(f":{port}", good),
        "live": {"publish": f":{port + 1}", "backend": f"127.0.0.1:{live_port}",
                 "health": "none"}})

    def published():
        """How often `published` stands in the sidecar's status."""
        services = (sidecar.status() or {"services": []})["services"]
        return sum(one["state"] == "published" for each in services for one in each["endpoints"])
    harness.eventually(lambda: published() == 4, 15, "both endpoints on both edges")
    clients = stage.start("clients", [
        sys.executable, ticking_streams.__file__, "clients", "127.0.0.2", port + 1, "--streams", 20,
        "--seconds", LIVE_SECONDS])
    clients.wait_for_line("^up")

    edges["first"].program.kill()
    failures, longest, asked = 0, 0.0, 0
    until = time.monotonic() + 6
    while time.monotonic() < until:
        began = time.monotonic()
        failures += ask(port, address="127.0.0.2") != b"good"
        longest = max(longest, time.monotonic() - began)
        asked += 1
        time.sleep(0.02)
    harness.expect(published() >= 2, "the second edge has both all the time")
    began = time.monotonic()
    edges["first"].start()
    harness.eventually(lambda: granted(edges["first"]) == 2 and published() == 4, BACK_SECONDS,
                       "the first one has both again")
    back = time.monotonic() - began
    harness.expect(ask(port) == b"good", "and serves")
    harness.expect(clients.wait(30) == 0, clients.output())
    harness.expect(failures == 0, f"{failures} of {asked}")
    print(f"fault 83: one of two edges is killed: {failures} of {asked} new streams through the other "
          f"failed, the longest took {longest * 1000:.0f} ms; 20 live streams there lost nothing; "
          f"both have everything {back:.1f} s after the start of the first", flush=True)


def start_as_nobody(stage, program, role):
    """Whoever runs the test."""
    file = role.write_configuration()
    somebody = {}
    if os.geteuid() == 0:
        somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        for path in (role.folder, file):
            os.chown(path, NOBODY, NOBODY)
    role.program = stage.start(role.name, [program, role.role, "--config", file],
                               env=role.environment, **somebody)
    role.wait_until_up()


def check_40_without_privileges_everything_runs_in_user_space(stage):
    port = harness.free_port()
    good, _ = named_backend(b"good")
    stage.folder.chmod(0o755)
    program = shutil.copy(harness.program(), stage.folder / "sidestream")
    edge = Edge(stage, [port], start=False)
    start_as_nobody(stage, program, edge)
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], service(f":{port}", good),
                      start=False)
    start_as_nobody(stage, program, sidecar)
    sidecar.wait_until_published(f":{port}")
    harness.expect(ask(port) == b"good", "served")
    for one in (edge, sidecar):
        text = pathlib.Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
        harness.expect(re.search(r"^CapEff:\s+0+$", text, re.MULTILINE), "no capability")
        open_files = [os.readlink(f"/proc/{one.pid}/fd/{fd}")
                      for fd in os.listdir(f"/proc/{one.pid}/fd")]
        harness.expect(not [path for path in open_files if "tun" in path], open_files)
    print("fault 40: edge and sidecar without any capability and without a tun device: served")


if __name__ == "__main__":
    harness.main(globals())
