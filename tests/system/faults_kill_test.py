"""1,000 live streams while the sidecar, and then the edge, is killed and started again: everything
that was cut ends with an error at both ends, and new streams are served (docs/reliability.md 1, 27)."""

import os
import time

import checked_streams
import harness
from faults_stop_test import Chain, refuses, verdict_of

STREAMS = 1000
ENDED_SECONDS = 5
SERVED_SECONDS = 3


def sockets_of(pid):
    """Open sockets of a process."""
    folder = f"/proc/{pid}/fd"
    return sum(os.readlink(f"{folder}/{fd}").startswith("socket:") for fd in os.listdir(folder))


def killed_and_started_again(chain, role):
    empty = sockets_of(chain.echo.pid)
    live = chain.ticking(60, streams=STREAMS, name=f"live-{role.name}", interval=1)
    harness.eventually(lambda: sockets_of(chain.echo.pid) >= empty + STREAMS - 5, 20,
                       f"{STREAMS} streams at the backend")
    role.program.kill()
    began = time.monotonic()
    role.start()
    harness.eventually(lambda: not refuses(chain.port), 20, "a new stream is served")
    served = time.monotonic() - began
    verdict = verdict_of(live, 30)
    clients = time.monotonic() - began
    harness.eventually(lambda: sockets_of(chain.echo.pid) <= empty + 5, 30,
                       "the backend has none of the old streams")
    backends = time.monotonic() - began
    harness.expect(verdict["lost"] == STREAMS, verdict)
    after = verdict_of(chain.ticking(1, streams=20, name=f"after-{role.name}"))
    harness.expect(after["lost"] == 0, after)
    print(f"fault {27 if role is chain.sidecar else 1}: {role.name} killed with {STREAMS} live "
          f"streams and started at once: a new one served after {served:.2f} s, all clients had an "
          f"error after {clients:.2f} s, all backends after {backends:.2f} s")
    harness.expect(served <= SERVED_SECONDS, served)
    harness.expect(max(clients, backends) <= ENDED_SECONDS, (clients, backends))


def check_27_the_sidecar_is_killed_with_1000_streams(stage):
    checked_streams.raise_descriptor_limit()
    chain = Chain(stage)
    killed_and_started_again(chain, chain.sidecar)


def check_1_the_edge_is_killed_with_1000_streams(stage):
    checked_streams.raise_descriptor_limit()
    chain = Chain(stage)
    killed_and_started_again(chain, chain.edge)


if __name__ == "__main__":
    harness.main(globals())
