"""Taking over from the first process of a container, here of a PID namespace: the container lives
on, and is stopped through its first process (docs/protocols/handover.md)."""

import os
import pathlib
import signal

import harness
from product import Edge, Sidecar
from take_over_test import live_stream, round_trip
from upgrade_test import echo_backend


def child_of(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return int(harness.eventually(lambda: path.read_text().split(), 5, "a child")[0])


def check_80_the_first_process_of_a_container_stays(stage):
    backend = echo_backend(stage)
    port = harness.free_port()
    edge = Edge(stage, [port],
                enter=[harness.tool("unshare"), "--pid", "--fork", "--kill-child"])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{backend}"}})
    sidecar.wait_until_published(f":{port}")
    first = child_of(edge.pid)
    client = live_stream(port)
    old = edge.upgrade(enter=[harness.tool("nsenter"), "--target", str(first), "--pid"])
    round_trip(client)
    client.close()
    old.wait_for_line("stays as the first process")
    live_stream(port).close()
    again = edge.upgrade(enter=[harness.tool("nsenter"), "--target", str(first), "--pid"])
    live_stream(port).close()
    harness.expect(again.wait(10) == 0, again.tail())
    harness.expect(old.running(), old.tail())
    os.kill(first, signal.SIGTERM)
    harness.expect(edge.program.wait(15) == 0, edge.program.tail())
    harness.expect(old.wait(10) == 0, old.tail())


if __name__ == "__main__":
    harness.main(globals())
