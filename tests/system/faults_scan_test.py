"""Fault 60 (docs/reliability.md): a port scanner and junk on every listener. Nothing ends, nothing is
answered that should not be, and the log stays readable."""

import contextlib
import datetime
import os
import random
import re
import socket
import time

import harness
import hello_bytes
from faults_streams_test import Listener
from product import Edge, Sidecar

NAME = b"good.demo.test"
ANSWER = b"the backend was here"
# What refused streams may say in a minute (docs/protocols/routing.md): 60 at once, one a second.
REFUSALS_TOLD_PER_MINUTE_MAX = 121
DATAGRAMS = 5000
CONNECTIONS = 3000
ADMIN_CONNECTIONS = 200
GROWTH_BYTES_MAX = 8 << 20
NMAP_SECONDS = 60


class Target:
    """An edge with a port for names, a port of its own for a service, and a tunnel port."""

    def __init__(self, stage):
        def answer(connection):
            if connection.recv(100_000):
                connection.sendall(ANSWER)

        self.names, self.plain = harness.free_port(), harness.free_port()
        self.endpoints = [f"{NAME.decode()}:{self.names}", f":{self.plain}"]
        self.edge = Edge(stage, [self.names, self.plain])
        self.sidecar = Sidecar(stage, [self.edge.invite("home", *self.endpoints)], {
            name: {"publish": endpoint, "backend": f"127.0.0.1:{Listener(answer).port}",
                   "health": "none"}
            for name, endpoint in zip(("tls", "plain"), self.endpoints)})
        self.sidecar.wait_until_published(*self.endpoints)

    def ask(self, port, sent):
        with socket.create_connection(("127.0.0.1", port), 10, ("127.0.0.9", 0)) as client:
            client.sendall(sent)
            return client.recv(100)

    def expect_good(self):
        """Both programs run, both services work, and no more lines were written than may be."""
        for role in (self.edge, self.sidecar):
            harness.expect(role.program.running(), f"{role.name} has ended\n{role.program.tail()}")
        self.sidecar.wait_until_published(*self.endpoints)
        for port, sent in ((self.names, hello_bytes.record(NAME)), (self.plain, b"hello")):
            answer = self.ask(port, sent)
            harness.expect(answer == ANSWER, f"port {port} answers {answer!r}")
        lines = most_in_a_minute(line for line in self.edge.log_lines() if "stream refused" in line)
        harness.expect(lines <= REFUSALS_TOLD_PER_MINUTE_MAX, f"{lines} refusals in a minute")
        others = [line for line in self.edge.log_lines()
                  if not re.search(r"stream (refused|ended)|published|edge started|port open"
                                   r"|sidecar (connected|invited)", line)]
        harness.expect(not others, others)
        return lines


def most_in_a_minute(lines):
    times = [datetime.datetime.fromisoformat(line.split()[0]) for line in lines]
    minute = datetime.timedelta(minutes=1)
    return max((sum(first <= one < first + minute for one in times) for first in times), default=0)


def junk_datagrams(dice, port):
    """Of the right types and sizes, and of others; how many answers came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        for _ in range(DATAGRAMS):
            kind, size = dice.choice([(1, 148), (2, 92), (3, 64), (4, 32), (4, 1452), (9, 100),
                                      (0, 4), (1, 147), (255, 65_000)])
            udp.send(bytes([kind, 0, 0, 0]) + dice.randbytes(size - 4))
        udp.settimeout(0.5)
        answers = 0
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):
            while udp.recv(2000):
                answers += 1
        return answers


def junk_connection(dice, number, connect):
    sent = (b"", dice.randbytes(500), b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01" + dice.randbytes(200),
            hello_bytes.record(b"nobody.demo.test"), b"SSH-2.0-scan\r\n", bytes(1000))[number % 7]
    with contextlib.suppress(OSError), connect() as client:
        client.sendall(sent)
        if number % 3 == 0:
            client.shutdown(socket.SHUT_WR)


def check_60_junk_on_every_listener(stage):
    target = Target(stage)
    dice = random.Random(60)
    before = target.edge.resident_bytes()
    answers = junk_datagrams(dice, target.edge.tunnel_port)
    began = time.monotonic()
    for number in range(CONNECTIONS):
        source = f"127.1.{number // 250}.{1 + number % 250}"
        junk_connection(dice, number, lambda: socket.create_connection(
            ("127.0.0.1", target.names), 10, (source, 0)))
    seconds = time.monotonic() - began

    def connect_admin():
        admin = socket.socket(socket.AF_UNIX)
        admin.connect(str(target.edge.admin))
        return admin
    for number in range(ADMIN_CONNECTIONS):
        junk_connection(dice, number, connect_admin)
    lines = target.expect_good()
    grown = target.edge.resident_bytes() - before
    print(f"fault 60: {DATAGRAMS} junk datagrams: {answers} answers; {CONNECTIONS} junk connections "
          f"in {seconds:.1f} s: {lines} log lines in the worst minute; edge grew by {grown >> 10} KiB")
    harness.expect(answers == 0, f"{answers} answers to junk datagrams")
    harness.expect(grown < GROWTH_BYTES_MAX, f"the edge grew by {grown} bytes")


def check_60_a_port_scan(stage):
    target = Target(stage)
    nmap = [harness.tool("nmap"), "-n", "-Pn", "127.0.0.1"]
    began = time.monotonic()
    scan = harness.run([*nmap, "-sT", "-sV", "-A", "-p", f"{target.names},{target.plain}"],
                       seconds=NMAP_SECONDS)
    found = re.findall(r"^\d+/tcp +open\b.*", scan.stdout, re.MULTILINE)
    harness.expect(len(found) == 2, scan.stdout)
    tunnel = "not scanned (needs root)"
    if os.geteuid() == 0:
        scan = harness.run([*nmap, "-sU", "-sV", "--version-light", "-p",
                            target.edge.tunnel_port], seconds=NMAP_SECONDS)
        tunnel = re.search(r"^\d+/udp +(\S+)", scan.stdout, re.MULTILINE).group(1)
        harness.expect(tunnel == "open|filtered", scan.stdout)
    seconds = time.monotonic() - began
    lines = target.expect_good()
    print(f"fault 60: nmap -sV -A for {seconds:.0f} s: {len(found)} open ports, tunnel port "
          f"{tunnel}; {lines} log lines for refused streams in the worst minute, "
          f"{len(target.edge.log_lines())} lines in all")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
