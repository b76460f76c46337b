"""Faults on the edge's public side (docs/reliability.md 53, 54, 57 and 58)."""

import contextlib
import os
import selectors
import socket
import statistics
import time

import checked_streams
import harness
import hello_bytes
from faults_streams_test import Listener, ending
from product import Edge, Sidecar

NAME = b"good.demo.test"
ANSWER = b"the backend was here"
HELLO_SECONDS = 5.0
LATE_SECONDS = 5.5
SLOW_CLIENTS = 5000
# Of a good client beside 5,000 slow ones, on a machine that is busy with all of them: what a person
# does not notice.
BUSY_MEDIAN_SECONDS_MAX = 0.1
BUSY_SECONDS_MAX = 1.0
SLOW_CLIENTS_OF_ONE_SOURCE = 2000
UNDECIDED_PER_CLIENT = 128  # docs/protocols/routing.md
RECORD_OF_ALERT = 21
UNRECOGNIZED_NAME = 112
# Between the median answers for an unknown and an offline name: what a client cannot tell apart.
APART_SECONDS_MAX = 0.001


class Names:
    """An edge port on which one name is published; its backend answers to any ClientHello."""

    def __init__(self, stage, **edge):
        self.touched = 0
        self.received = []

        def answer(connection):
            self.touched += 1
            self.received.append(connection.recv(100_000))
            connection.sendall(ANSWER)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(100_000):  # a close with bytes unread would reset
                pass

        self.port = harness.free_port()
        endpoint = f"{NAME.decode()}:{self.port}"
        self.edge = Edge(stage, [self.port], **edge)
        self.sidecar = Sidecar(stage, [self.edge.invite("home", endpoint,
                                                        f"*.wild.demo.test:{self.port}")], {
            "tls": {"publish": [endpoint, f"*.wild.demo.test:{self.port}"], "health": "none",
                    "backend": f"127.0.0.1:{Listener(answer).port}"}})
        self.sidecar.wait_until_published(endpoint)

    def dial(self, source="127.0.0.1", seconds=10):
        return socket.create_connection(("127.0.0.1", self.port), seconds, (source, 0))

    def ask(self, sent, source="127.0.0.1", pieces=None):
        """Sends bytes as a client and returns all that comes back; a reset is b'reset'."""
        with self.dial(source) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for piece in pieces or [sent]:
                    client.sendall(piece)
                answer = b""
                while part := client.recv(4096):
                    answer += part
                return answer
            except ConnectionResetError:
                return b"reset"


def source_address(number):
    """Loopback addresses 127.1.0.1 and on: every client from somewhere else."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


def good_latency(names, times):
    began = time.monotonic()
    answer = names.ask(hello_bytes.record(NAME), "127.0.0.9")
    harness.expect(answer == ANSWER, f"a good client got {answer!r}")
    times.append(time.monotonic() - began)


def check_53_slow_hellos_end_in_time_and_hurt_nobody(stage):
    checked_streams.raise_descriptor_limit()
    names = Names(stage)
    calm, busy, lives = [], [], []
    for _ in range(50):
        good_latency(names, calm)
    touched = names.touched
    record = hello_bytes.record(NAME)
    kinds = ("silent", "one byte a second", "half a hello")
    slow = selectors.DefaultSelector()
    began = {}
    for number in range(SLOW_CLIENTS):
        kind = kinds[number % 3]
        client = socket.socket()
        client.bind((source_address(number), 0))
        client.connect(("127.0.0.1", names.port))
        client.setblocking(False)
        began[client] = time.monotonic()
        with contextlib.suppress(OSError):
            client.send({"silent": b"", kinds[1]: record[:1], kinds[2]: record[:60]}[kind])
        slow.register(client, selectors.EVENT_READ, kind)
    next_byte = time.monotonic() + 1
    position = 1
    while began and time.monotonic() < max(began.values()) + 2 * HELLO_SECONDS:
        for key, _ in slow.select(0.05):
            with contextlib.suppress(ConnectionResetError):
                if key.fileobj.recv(100):
                    continue
            lives.append(time.monotonic() - began.pop(key.fileobj))
            slow.unregister(key.fileobj)
            key.fileobj.close()
        if time.monotonic() > next_byte:
            for key in list(slow.get_map().values()):
                if key.data == kinds[1]:
                    with contextlib.suppress(OSError):
                        key.fileobj.send(record[position:position + 1])
            next_byte += 1
            position += 1
        good_latency(names, busy)
    harness.expect(not began, f"{len(began)} slow clients are still connected")
    print(f"fault 53: {SLOW_CLIENTS} slow clients: closed after {min(lives):.2f} to "
          f"{max(lives):.2f} s; good client median {statistics.median(calm) * 1000:.1f} ms before, "
          f"{statistics.median(busy) * 1000:.1f} ms meanwhile ({len(busy)} asked, most "
          f"{max(busy) * 1000:.0f} ms); backends touched: {names.touched - touched - len(busy)}")
    # A machine that stood still did so for the good clients too.
    harness.expect(max(lives) < LATE_SECONDS + max(busy), f"one lived {max(lives):.2f} s")
    harness.expect(statistics.median(busy) < BUSY_MEDIAN_SECONDS_MAX
                   and max(busy) < BUSY_SECONDS_MAX, "good clients were kept waiting")
    harness.expect(names.touched - touched == len(busy), "a slow client reached the backend")


def check_53_one_source_cannot_take_all_places(stage):
    names = Names(stage)
    clients = []
    for _ in range(SLOW_CLIENTS_OF_ONE_SOURCE):
        with contextlib.suppress(ConnectionResetError):  # already refused
            clients.append(names.dial("127.0.0.66"))
    time.sleep(0.5)
    still = 0
    for client in clients:
        client.setblocking(False)
        try:
            client.recv(1)
        except BlockingIOError:
            still += 1
        except OSError:
            pass
    harness.expect(still <= UNDECIDED_PER_CLIENT, f"one address holds {still} places")
    times = []
    good_latency(names, times)
    print(f"fault 53: of {SLOW_CLIENTS_OF_ONE_SOURCE} slow clients of one address {still} are kept; "
          f"a good client from elsewhere is served in {times[0] * 1000:.1f} ms")
    for client in clients:
        client.close()


def check_54_hellos_in_every_form(stage):
    names = Names(stage)
    message = hello_bytes.hello(NAME)
    long_message = hello_bytes.hello(NAME, padding_bytes=1400)
    whole = hello_bytes.records(message)
    ech = hello_bytes.extension(0xFE0D, b"\0" + os.urandom(200))
    routed = {
        "whole": [whole],
        "byte by byte": [bytes([byte]) for byte in whole],
        "records of one byte": [hello_bytes.records(message, 1)],
        "post-quantum length": [hello_bytes.records(long_message)],
        "post-quantum length in records of one byte": [hello_bytes.records(long_message, 1)],
        "post-quantum length in records of 100": [hello_bytes.records(long_message, 100)],
        "the first header byte by byte": [whole[:1]]
        + [whole[at:at + 1] for at in range(1, 6)] + [whole[6:]],
        "OpenSSL's": [hello_bytes.of_openssl(NAME.decode())],
        "60 KB": [hello_bytes.records(hello_bytes.hello(NAME, padding_bytes=60_000))],
        "ECH, outer name": [hello_bytes.records(hello_bytes.hello(NAME, more=ech))],
        "upper case": [hello_bytes.record(NAME.upper())],
        "trailing dot": [hello_bytes.record(NAME + b".")],
        "one label of wildcard": [hello_bytes.record(b"a.wild.demo.test")],
    }
    for what, pieces in routed.items():
        answer = names.ask(None, pieces=pieces)
        harness.expect(answer == ANSWER, f"{what}: {answer[:50]!r}")
        harness.expect(names.received[-1][:10] == b"".join(pieces)[:10], f"{what}: other bytes")
    refused = {
        "no server name": hello_bytes.record(None),
        "two labels of wildcard": hello_bytes.record(b"a.b.wild.demo.test"),
        "the wildcard itself": hello_bytes.record(b"wild.demo.test"),
        "NUL": hello_bytes.record(NAME + b"\0.evil.test"),
        "an IPv4 address": hello_bytes.record(b"127.0.0.1"),
        "an IPv6 address": hello_bytes.record(b"::1"),
        "empty": hello_bytes.record(b""),
        "too long": hello_bytes.record(b"a" * 300),
        "two server names": hello_bytes.records(hello_bytes.hello(
            NAME, more=hello_bytes.server_name_extension(b"x.test"))),
        "over 64 KiB": hello_bytes.records(b"\x01\x01\x10\x00" + bytes(69_632)),
        "HTTP": b"GET / HTTP/1.1\r\nHost: good.demo.test\r\n\r\n",
        "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    }
    touched = names.touched
    for what, sent in refused.items():
        answer = names.ask(sent)
        harness.expect(ANSWER not in answer, f"{what} was routed")
    harness.expect(names.touched == touched, "a refused hello reached the backend")
    # The library at home must have read the same name, or the edge chose somebody else's home.
    ours = {NAME, NAME + b"."}
    for what, pieces in routed.items():
        seen = hello_bytes.name_seen_by_openssl(b"".join(pieces))
        harness.expect(seen and (seen.lower() in ours or seen == b"a.wild.demo.test"),
                       f"{what}: OpenSSL reads {seen}")
    for what, sent in refused.items():
        seen = hello_bytes.name_seen_by_openssl(sent)
        harness.expect(not seen or seen.lower() not in ours, f"{what}: OpenSSL reads {seen}")
    print(f"fault 54: {len(routed)} forms routed, {len(refused)} refused, no backend touched, "
          "0 disagreements with OpenSSL")


def timed_refusals(names, asked, count):
    """Asks for all names in turn: {name: (set of answers, median seconds)}."""
    answers, times = {name: set() for name in asked}, {name: [] for name in asked}
    for _ in range(count):
        for name in asked:
            began = time.monotonic()
            answers[name].add(names.ask(hello_bytes.record(name)))
            times[name].append(time.monotonic() - began)
    return {name: (answers[name], statistics.median(times[name])) for name in asked}


def expect_alike(what, seen):
    """The same bytes, and times that do not tell one from the other."""
    (unknown, unknown_seconds), (offline, offline_seconds) = seen.values()
    harness.expect(len(unknown) == 1 and unknown == offline, f"{what}: {unknown} is not {offline}")
    answer = next(iter(unknown))
    harness.expect(answer[:1] == bytes([RECORD_OF_ALERT]) and answer[-1] == UNRECOGNIZED_NAME,
                   f"{what}: no unrecognized_name alert but {answer!r}")
    apart = abs(unknown_seconds - offline_seconds)
    print(f"fault 57: {what}: both get the same {len(answer)} bytes (unrecognized_name), after "
          f"{unknown_seconds * 1000:.2f} and {offline_seconds * 1000:.2f} ms (medians)")
    harness.expect(apart < APART_SECONDS_MAX or apart < 0.5 * unknown_seconds,
                   f"{what}: {apart * 1000:.2f} ms apart")


UNKNOWN_AND_OFFLINE = (b"nobody.demo.test", NAME)


def check_57_an_unknown_name_and_a_stopped_sidecars_answer_alike(stage):
    names = Names(stage)
    names.sidecar.program.stop()
    expect_alike("stopped", timed_refusals(names, UNKNOWN_AND_OFFLINE, 200))


def check_57_an_unknown_name_and_a_killed_sidecars_answer_alike(stage):
    names = Names(stage)
    names.sidecar.program.kill()
    began = time.monotonic()
    early = names.ask(hello_bytes.record(NAME))
    seconds = time.monotonic() - began
    names.edge.program.wait_for_line("sidecar lost", seconds=20)
    seen = timed_refusals(names, UNKNOWN_AND_OFFLINE, 200)
    harness.expect({early} == seen[NAME][0], f"{early!r} before the end of the lease, then {seen}")
    print(f"fault 57: killed a moment ago: the same bytes after {seconds:.1f} s")
    expect_alike("killed", seen)


def check_58_a_clients_proxy_header_is_only_its_bytes(stage):
    headers = []

    def look(connection):
        with connection.makefile("rb") as lines:
            headers.append((lines.readline(), lines.readline()))

    port = harness.free_port()
    edge = Edge(stage, [port])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "look": {"publish": f":{port}", "backend": f"127.0.0.1:{Listener(look).port}",
                 "health": "none", "proxy_protocol": "v1"}})
    sidecar.wait_until_published(f":{port}")
    lie = b"PROXY TCP4 203.0.113.7 203.0.113.8 1 2\r\n"
    with socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.55", 0)) as client:
        client.sendall(lie)
        client.shutdown(socket.SHUT_WR)
        ending(client)
    real, data = harness.eventually(lambda: headers and headers[0], 5, "the backend has read")
    harness.expect(real.startswith(b"PROXY TCP4 127.0.0.55 "), real)
    harness.expect(data == lie, data)
    print("fault 58: the backend is told 127.0.0.55, the client's own header follows as data")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
