"""Faults of streams and backends (docs/reliability.md 42 to 46 and 50)."""

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import threading
import time

import checked_streams
import harness
from backends import OpenSshServer
from product import Edge, Sidecar

MB = 1_000_000
MID_STREAM_RESETS = 20  # of clients after so many bytes, of the backend after sending so long:
MID_STREAM_BYTES, SENDING_SECONDS = 300_000, 0.05
GREETING = b"220 server speaks first\r\n"
# From a client's connect to its end when the backend cannot be reached.
CONNECT_SECONDS_MAX = 12


class Listener:
    """A TCP server on loopback that does what `serve(connection)` says, one thread each."""

    def __init__(self, serve, port=0):
        self.socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, args=(serve,), daemon=True).start()

    def accept(self, serve):
        with contextlib.suppress(OSError):  # until the socket is shut down
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self.one, args=(serve, connection), daemon=True).start()

    @staticmethod
    def one(serve, connection):
        with connection, contextlib.suppress(OSError):
            serve(connection)


class DeafListener:
    """A port whose SYN queue is full: who connects gets no answer at all."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.socket.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self.fillers.append(filler)


def chain(stage, backends, names=("edge", "sidecar")):
    """Publishes each {name: backend port} on a port of its own: (edge, sidecar, {name: port})."""
    ports = {name: harness.free_port() for name in backends}
    edge = Edge(stage, list(ports.values()), name=names[0])
    sidecar = Sidecar(stage, [edge.invite("home", *(f":{port}" for port in ports.values()))], {
        name: {"publish": f":{ports[name]}", "backend": f"127.0.0.1:{backends[name]}",
               "health": "none"} for name in backends}, name=names[1])
    sidecar.wait_until_published(*(f":{port}" for port in ports.values()))
    return edge, sidecar, ports


def checked_backend(stage):
    port = harness.free_port()
    backend = stage.start("backend", [sys.executable, checked_streams.__file__, "backend",
                                      "127.0.0.1", port])
    backend.wait_for_line("^ready")
    return backend, port


def run_plans(port, wanted):
    tally = asyncio.run(checked_streams.run_clients("127.0.0.1", port, wanted))
    harness.expect(not tally.failures, tally.failures)
    return tally.verdict()


def dial(port, seconds=CONNECT_SECONDS_MAX):
    return socket.create_connection(("127.0.0.1", port), seconds)


def ending(stream):
    """How the other side ended: what recv says next."""
    try:
        rest = stream.recv(1)
        return "bytes" if rest else "clean end"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "nothing"


def check_42_client_half_close_carries_the_reply(stage):
    backend, port = checked_backend(stage)
    _, _, ports = chain(stage, {"echo": port})
    verdict = run_plans(ports["echo"], [checked_streams.Plan(1, 5 * MB, 5 * MB, "client_first")])
    harness.expect(backend.stop() == 0, backend.tail())
    print(f"fault 42: 5 MB up, half-close, 5 MB reply whole in {verdict['seconds']} s")


def check_43_backend_half_close_first_keeps_the_upload(stage):
    backend, port = checked_backend(stage)
    _, _, ports = chain(stage, {"echo": port})
    verdict = run_plans(ports["echo"], [checked_streams.Plan(1, 5 * MB, 5 * MB, "backend_first")])
    harness.expect(backend.stop() == 0, backend.tail())
    print(f"fault 43: 5 MB down, half-close, 5 MB upload whole in {verdict['seconds']} s")


def check_44_a_reset_stays_a_reset(stage):
    backend, port = checked_backend(stage)
    _, _, ports = chain(stage, {"echo": port})
    wanted = checked_streams.plans(40, 100_000, 100_000, ("client_reset", "backend_reset"))
    verdict = run_plans(ports["echo"], list(wanted))
    harness.expect(backend.stop() == 0, backend.tail())
    print(f"fault 44: {verdict['good']} of 40 resets arrived as resets, in both directions")


def check_44_a_reset_in_mid_stream_is_no_clean_end(stage):
    seen = []

    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, checked_streams.RESET_ON_CLOSE)
        connection.close()

    def sender(connection):
        until = time.monotonic() + SENDING_SECONDS
        while time.monotonic() < until:
            connection.sendall(bytes(65_536))
        reset(connection)

    def receiver(connection):
        try:
            connection.sendall(b"!")
            while connection.recv(65536):
                pass
            seen.append("clean end")
        except ConnectionResetError:
            seen.append("reset")

    _, _, ports = chain(stage, {"sender": Listener(sender).port,
                                "receiver": Listener(receiver).port})
    received = []
    for _ in range(MID_STREAM_RESETS):
        with dial(ports["sender"]) as stream:
            count = 0
            with contextlib.suppress(ConnectionResetError):
                while part := stream.recv(4096):
                    count += len(part)
                raise harness.Failure(f"a clean end after {count} bytes")
            received.append(count)
        with dial(ports["receiver"]) as stream:
            stream.recv(1)
            stream.sendall(bytes(MID_STREAM_BYTES))
            reset(stream)
    harness.eventually(lambda: len(seen) == MID_STREAM_RESETS, 30,
                       f"the backend's streams end: {seen}")
    harness.expect(set(seen) == {"reset"}, seen)
    harness.expect(min(received) > 0, "a reset before the first byte")
    print(f"fault 44: {MID_STREAM_RESETS} resets with bytes on the way, each direction: 0 clean ends "
          f"(clients had {min(received)} to {max(received)} bytes)")


def idle(stage, seconds):
    arrived, speak = threading.Event(), threading.Event()

    def mute(connection):
        arrived.set()
        speak.wait()
        connection.sendall(b"at last")

    _, sidecar, ports = chain(stage, {"mute": Listener(mute).port})
    with dial(ports["mute"]) as stream:
        harness.expect(arrived.wait(10), "the backend sees the stream")
        time.sleep(1)
        table = subprocess.run([harness.tool("ss"), "-tnoH", "state", "established"], text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        outer = [line for line in table.splitlines() if "timer:(keepalive" in line]
        client_leg = [line for line in outer if f"127.0.0.1:{ports['mute']} " in line]
        harness.expect(client_leg, f"no keepalive towards the client:\n{table}")
        harness.expect(len(outer) > len(client_leg), f"no keepalive towards the backend:\n{table}")
        time.sleep(seconds)
        speak.set()
        stream.settimeout(5)
        harness.expect(stream.recv(100) == b"at last", "the backend's word after the silence")
    print(f"fault 45: {seconds} s of silence, then the backend's bytes arrive; keepalive on both "
          "outer legs")
    harness.expect(sidecar.program.running(), "the sidecar is up")


def check_45_a_silent_backend_is_left_alone(stage):
    idle(stage, 30)


def long_45_a_silent_backend_is_left_alone_for_ten_minutes(stage):
    idle(stage, 600)


def check_46_backends_that_cannot_be_reached(stage):
    closed, deaf = harness.free_port(), DeafListener()
    _, sidecar, ports = chain(stage, {"closed": closed, "deaf": deaf.port})
    for name, word in (("closed", "refused"), ("deaf", "timed out")):
        began = time.monotonic()
        with dial(ports[name], 30) as stream:
            how = ending(stream)
        seconds = time.monotonic() - began
        harness.expect(how == "reset", f"{name}: the client sees: {how}")
        harness.expect(seconds < CONNECT_SECONDS_MAX, f"{name}: after {seconds:.1f} s")
        lines = [line for line in sidecar.log_lines() if word in line.lower()]
        harness.expect(len(lines) == 1, f"{name}: {len(lines)} lines say '{word}'\n"
                                        f"{sidecar.program.tail()}")
        print(f"fault 46: backend {name}: {how} after {seconds:.3f} s; log: {lines[0][-100:]}")


def check_50_a_server_that_speaks_first_is_not_kept_waiting(stage):
    greeter = Listener(lambda connection: (connection.sendall(GREETING), connection.recv(1)))
    _, _, ports = chain(stage, {"greeter": greeter.port})
    times = []
    for _ in range(50):
        began = time.monotonic()
        with dial(ports["greeter"]) as stream:
            greeting = stream.recv(100)
            times.append(time.monotonic() - began)
        harness.expect(greeting == GREETING, greeting)
    median = statistics.median(times) * 1000
    print(f"fault 50: greeting after {median:.1f} ms (median), {max(times) * 1000:.1f} ms (most)")
    # Loopback has no round trip: what is left is ours, and the scheduling of a busy machine.
    harness.expect(median < 50, f"{median:.1f} ms on loopback")
    server = OpenSshServer(stage)
    direct, through = [], []
    _, _, ports = chain(stage, {"ssh": server.port}, names=("ssh-edge", "ssh-sidecar"))
    for _ in range(10):
        for port, times in ((server.port, direct), (ports["ssh"], through)):
            began = time.monotonic()
            with dial(port) as stream:
                banner = stream.recv(100)
                times.append(time.monotonic() - began)
            harness.expect(banner.startswith(b"SSH-2.0-"), banner)
    direct, through = (statistics.median(times) * 1000 for times in (direct, through))
    print(f"fault 50: OpenSSH's banner after {through:.1f} ms, {direct:.1f} ms without us (medians)")
    harness.expect(through < direct + 50, f"{through:.1f} ms, not {direct:.1f} ms")


if __name__ == "__main__":
    harness.main(globals())
