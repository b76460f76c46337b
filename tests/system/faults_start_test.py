"""Faults at the start: names that do not resolve, with a name server of our own in a network
namespace (docs/reliability.md 37). Needs root."""

import os
import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import harness  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from product import Edge, Sidecar  # noqa: E402

EDGE_NAME = "edge.demo.test"
BROKEN_SECONDS = 8
UP_SECONDS_MAX = 10
CPU_SECONDS_MAX = 0.5


def check_37_a_sidecar_waits_for_names_to_resolve(stage):
    with Namespaces() as spaces:
        space = spaces.add("home")
        space.use_name_server("127.0.0.1")
        behaviour = stage.write("behaviour", "silent")
        stub = stage.start("dns", [*space.enter, sys.executable,
                                   pathlib.Path(__file__).with_name("dns_stub.py"), "127.0.0.1",
                                   53, behaviour])
        stub.wait_for_line("^ready")
        port, backend = harness.free_port(), harness.free_port()
        edge = Edge(stage, [port], endpoint=EDGE_NAME, enter=space.enter)
        ticket = edge.invite("home", f":{port}")
        for broken in ("silent", "nxdomain", "servfail"):
            behaviour.write_text(broken)
            sidecar = Sidecar(stage, [ticket], {
                "it": {"publish": f":{port}", "backend": f"127.0.0.1:{backend}",
                       "health": "none"}}, name=broken, enter=space.enter)
            time.sleep(BROKEN_SECONDS)
            harness.expect(sidecar.program.running(), f"{broken}: it ended\n"
                                                      f"{sidecar.program.tail()}")
            used, lines = sidecar.cpu_seconds(), len(sidecar.log_lines())
            behaviour.write_text("127.0.0.1")
            seconds = sidecar.wait_until_published(f":{port}", seconds=UP_SECONDS_MAX + 5)
            print(f"fault 37: {broken} for {BROKEN_SECONDS} s ({lines} log lines, {used:.2f} s of "
                  f"CPU): up {seconds:.1f} s after names resolve")
            harness.expect(seconds <= UP_SECONDS_MAX, f"{broken}: up after {seconds:.1f} s")
            harness.expect(used < CPU_SECONDS_MAX, f"{broken}: {used:.2f} s of CPU while waiting")
            sidecar.program.stop()


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
