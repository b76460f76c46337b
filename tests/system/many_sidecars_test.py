"""A thousand sidecars on one edge, each a process of its own, with one name each and no streams: what
they cost the edge while nothing happens."""

import os
import time

import harness
from product import Edge, Sidecar

SIDECARS = int(os.environ.get("SIDESTREAM_SIDECARS", "1000"))
AT_ONCE = 25  # that are started, before the next ones wait for them
QUIET_SECONDS = 30
PROCESSOR_MAX = 0.2  # 0.05 is what one would like; docs/reliability.md has what it is


def long_many_sidecars_are_idle(stage):
    port = harness.free_port()
    edge = Edge(stage, [port], more={"tunnel": {
        "listen": f"127.0.0.1:{harness.free_port()}", "network": "10.86.0.0/20"}}, start=False)
    edge.configuration["endpoint"] = edge.configuration["tunnel"]["listen"]
    edge.start().wait_until_up()
    backend_port = harness.free_port()  # nobody is there, and nobody asks
    before = edge.own_bytes()

    def present():
        status = edge.status()
        return sum(one["present"] for one in status["sidecars"]) if status else 0
    began = time.monotonic()
    for number in range(SIDECARS):
        name = f"home{number}"
        host = f"{name}.example.com:{port}"
        Sidecar(stage, [edge.invite(name, host)], {
            "it": {"publish": host, "backend": f"127.0.0.1:{backend_port}", "health": "none"}},
            name=name)
        if number % AT_ONCE == AT_ONCE - 1:
            harness.eventually(lambda started=number + 1: present() == started, 60,
                               f"{number + 1} sidecars are there")
    harness.eventually(lambda: present() == SIDECARS, 60, "all are there")
    took = time.monotonic() - began
    time.sleep(10)
    used = edge.cpu_seconds()
    time.sleep(QUIET_SECONDS)
    used = (edge.cpu_seconds() - used) / QUIET_SECONDS
    each = (edge.own_bytes() - before) / SIDECARS
    print(f"{SIDECARS} sidecars, enrolled and there after {took:.0f} s: the edge uses {used:.1%} of a "
          f"processor and {each / 1024:.1f} KiB of memory for each")
    harness.expect(present() == SIDECARS, "all are still there")
    harness.expect(used < PROCESSOR_MAX, used)


if __name__ == "__main__":
    harness.main(globals())
