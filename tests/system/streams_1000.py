"""1,000 checked streams at once through edge, tunnel and sidecar, ended in every order: nothing is
lost, and afterwards neither program holds a descriptor or memory more than before."""

import asyncio
import json
import sys
import time

import checked_streams
import harness
from product import Edge, Sidecar

STREAMS = 1000
UP_BYTES = DOWN_BYTES = 100_000
# What allocators keep in hand for next time; a leak of streams shows up as more in each round.
ROUND_GROWTH_BYTES_MAX = 2 * 1024 * 1024


class Chain:
    """Client → edge → tunnel → sidecar → backend, with a backend for checked streams."""

    def __init__(self, stage):
        backend_port, self.port = harness.free_port(), harness.free_port()
        self.backend = stage.start("backend", [
            sys.executable, checked_streams.__file__, "backend", "127.0.0.1", backend_port,
            "--seconds", 120])
        self.backend.wait_for_line("^ready")
        endpoint = f":{self.port}"
        self.edge = Edge(stage, [self.port])
        self.sidecar = Sidecar(stage, [self.edge.invite("home", endpoint)], {
            "echo": {"publish": endpoint, "backend": f"127.0.0.1:{backend_port}"}})
        self.sidecar.wait_until_published(endpoint)
        self.roles = (self.edge, self.sidecar)

    def round(self, number, streams=STREAMS, at_once=STREAMS):
        wanted = list(checked_streams.plans(streams, UP_BYTES, DOWN_BYTES, first=number * STREAMS))
        tally = asyncio.run(checked_streams.run_clients("127.0.0.1", self.port, wanted, at_once,
                                                        seconds=100))
        verdict = tally.verdict()
        print(f"  {json.dumps(verdict)}", flush=True)
        harness.expect(not tally.failures and tally.good == streams, verdict)

    def descriptors(self):
        return tuple(role.descriptors() for role in self.roles)

    def resident(self):
        return tuple(role.resident_bytes() for role in self.roles)


def check_1000_streams_at_once_leave_nothing(stage):
    checked_streams.raise_descriptor_limit()
    chain = Chain(stage)
    chain.round(0, streams=10)
    before = chain.descriptors()
    memory = []
    for number in (1, 2, 3):
        chain.round(number)
        harness.eventually(lambda: chain.descriptors() == before, 30,
                           f"descriptors {before} again, not {chain.descriptors()}")
        time.sleep(1)
        memory.append(chain.resident())
        print(f"  resident MiB {[round(one / 2**20, 1) for one in memory[-1]]}", flush=True)
    for role, second, third in zip(chain.roles, memory[1], memory[2]):
        harness.expect(third - second < ROUND_GROWTH_BYTES_MAX,
                       f"{role.name} grew by {third - second} bytes in a round")
    harness.expect(chain.backend.stop() == 0, chain.backend.tail())


if __name__ == "__main__":
    harness.main(globals())
