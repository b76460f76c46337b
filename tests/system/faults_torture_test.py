"""Each call of the system that edge and sidecar make fails once (docs/reliability.md 39): the program
goes on, with nothing lost but what the call was for, or it ends with a line that says why."""

import contextlib
import random
import signal
import socket
import sys
import time

import harness
import ticking_streams
from faulty_libc import FaultyLibc
from product import Edge, Sidecar

WORD = b"12345678" * 1000
SERVED_SECONDS = 12
# One of so many places in the short test.
STRIDE = 5
ALLOCATIONS = 30
BEGINS_AT = 50  # libraries allocate before there is a program


def answer(port, seconds=2):
    """Whether a stream is served."""
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as client:
            client.settimeout(seconds)
            client.sendall(WORD)
            client.shutdown(socket.SHUT_WR)
            got = b""
            while part := client.recv(65536):
                got += part
            return got == WORD
    except OSError:
        return False


class Ended(Exception):
    """The program has ended by itself."""


class Unasked(Exception):
    """It goes on and cannot be asked anything, as it has said."""


class Dialogue:
    """A short life of both programs, of which one has the fault."""

    def __init__(self, stage, backend, faulty):
        self.stage = stage
        self.backend = backend
        self.faulty = faulty
        self.libc = None
        self.role = None

    def check(self):
        if not self.role.program.running():
            raise Ended

    def status(self):
        if "admin address not available" in self.role.program.output():
            raise Unasked
        return self.role.status()

    def wait(self, condition, what, seconds=SERVED_SECONDS):
        end = time.monotonic() + seconds
        while True:
            self.check()
            with contextlib.suppress(harness.Failure):
                if condition():
                    return
            harness.expect(time.monotonic() < end, f"{what}\n{self.role.program.tail()}")
            time.sleep(0.02)

    def run(self, number, arm):
        """Names what failed and how that ended."""
        self.libc = FaultyLibc(self.stage, f"{self.faulty}-{number}")
        arm(self.libc)
        environment = {self.faulty: self.libc.environment}
        port = harness.free_port()
        edge = Edge(self.stage, [port], name=f"edge-{number}", start=False,
                    environment=environment.get("edge"))
        started = []
        try:
            self.role = edge
            started.append(edge.start())
            if self.faulty == "edge":
                self.wait(self.status, "the edge answers")
            else:
                edge.wait_until_up()
            tickets = []
            names = iter(f"home{one}" for one in range(1000))  # an answer may be lost
            self.wait(lambda: tickets.append(edge.invite(next(names), f":{port}")) or tickets,
                      "the edge invites")
            sidecar = Sidecar(self.stage, tickets, {
                "echo": {"publish": f":{port}", "backend": f"127.0.0.1:{self.backend}"}},
                name=f"sidecar-{number}", environment=environment.get("sidecar"))
            started.append(sidecar)
            if self.faulty == "sidecar":
                self.role = sidecar
            self.live(port)
            return self.libc.name, "went on"
        except Ended:
            return self.libc.name, self.ended()
        except Unasked:
            return self.libc.name, "went on without an admin address, and said so"
        except harness.Failure as wrong:
            raise harness.Failure(f"place {number} of the {self.faulty}, {self.libc.name}: {wrong}")
        finally:
            for one in started:
                one.program.kill()

    def live(self, port):
        self.wait(lambda: answer(port), "a stream is served")
        self.role.program.signal(signal.SIGHUP)
        self.wait(lambda: answer(port), "a stream is served after a reload")
        self.wait(self.status, "status answers")
        self.wait(lambda: answer(port), "a stream is served at the end")
        self.wait(self.has_no_stream, "no stream is left")
        began = time.monotonic()
        self.role.program.signal(signal.SIGTERM)
        code = self.role.program.wait(10)
        harness.expect(code == 0, f"stopped with {code}")
        harness.expect(time.monotonic() - began < 8, "it stops late")

    def has_no_stream(self):
        status = self.status()
        parts = status["services"] if "services" in status else [status]
        return sum(part["streams"] for part in parts) == 0

    def ended(self):
        code = self.role.program.wait(5)
        lines = self.role.program.output().splitlines()
        harness.expect(code in (1, 2), f"it ended with {code}: {lines[-3:]}")
        harness.expect(lines and len(lines[-1]) > 20, f"it ended without a word: {lines[-3:]}")
        said = [line for line in lines if " error " in line or line.startswith("sidestream")]
        return f"ended: {(said or lines)[-1]}"


def backend_of(stage):
    backend = harness.free_port()
    stage.start("echo", [sys.executable, ticking_streams.__file__, "echo", "127.0.0.1",
                         backend]).wait_for_line("^ready")
    return backend


def torture(stage, faulty, first, stride):
    backend = backend_of(stage)
    number, tried, ends = first, 0, {}
    while True:
        def arm(libc, number=number):
            libc["failing_place"] = number
            libc["failing_allocation"] = -1
        dialogue = Dialogue(stage, backend, faulty)
        name, end = dialogue.run(number, arm)
        if not dialogue.libc["failed"]:
            break
        tried += 1
        ends.setdefault(end, []).append(f"{name} {number}")
        number += stride
    went_on = len(ends.pop("went on", []))
    print(f"fault 39: {faulty}, {tried} of {dialogue.libc['places']} places failed once: {went_on} "
          f"times it went on, {tried - went_on} times it ended with a line that says why")
    for end, places in ends.items():
        print(f"  {' '.join(places)}: {end}")
    harness.expect(tried > 5, "too few places")


def check_39_some_calls_of_an_edge_fail(stage):
    torture(stage, "edge", 1, STRIDE)


def check_39_some_calls_of_a_sidecar_fail(stage):
    torture(stage, "sidecar", 1, STRIDE)


def long_39_each_call_of_an_edge_fails(stage):
    torture(stage, "edge", 1, 1)


def long_39_each_call_of_a_sidecar_fails(stage):
    torture(stage, "sidecar", 1, 1)


def torture_memory(stage, faulty, tries):
    """Some allocations of its life, at random."""
    backend = backend_of(stage)
    dialogue = Dialogue(stage, backend, faulty)
    dialogue.run(0, lambda libc: None)
    total = dialogue.libc["allocations"]
    numbers = sorted(random.Random(39).sample(range(BEGINS_AT, total + 1), tries))
    ends = {}
    for number in numbers:
        def arm(libc, number=number):
            libc["failing_allocation"] = number
        _, end = dialogue.run(number, arm)
        ends.setdefault(end, []).append(str(number))
    went_on = len(ends.pop("went on", []))
    print(f"fault 39: {faulty}, {tries} of {total} places that allocate failed once: {went_on} "
          f"times it went on, {tries - went_on} times it ended with a line that says why")
    for end, places in ends.items():
        print(f"  {' '.join(places)}: {end}")


def check_39_allocations_of_an_edge_fail(stage):
    torture_memory(stage, "edge", ALLOCATIONS)


def check_39_allocations_of_a_sidecar_fail(stage):
    torture_memory(stage, "sidecar", ALLOCATIONS)


if __name__ == "__main__":
    harness.main(globals())
