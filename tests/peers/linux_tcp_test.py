"""Our TCP/IP stack against Linux's TCP, with a tun device and a line of any quality between them
(root): every way of ending a stream, bulk, loss, disorder, shut windows, keepalive, hosts without
the newer options, narrow paths, IPv4 and IPv6."""

import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import signal
import socket
import struct
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system")]

import harness  # noqa: E402
from namespaces import Namespaces  # noqa: E402

STREAMS = HERE.parent / "system" / "checked_streams.py"
LINUX, OURS = "10.8.0.1", "10.8.0.2"
LINUX6, OURS6 = "fd88::1", "fd88::2"
PORT = 7000
NO_RESETS = "client_first,backend_first,both"


def enter_namespace(file):
    """os.setns, which Python has since 3.12."""
    harness.expect(ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) == 0,
                   f"setns: {os.strerror(ctypes.get_errno())}")


class Pair:
    """A namespace with a tun device; Linux on one side of it, our stack on the other. Backends for
    checked streams run behind both: `our_clients` connect from the stack to Linux, `linux_clients`
    the other way."""

    def __init__(self, stage, line=None, mtu=1420, v6=False, keepalive=0, settings=()):
        self.stage = stage
        self.spaces = stage.enter(Namespaces())
        self.space = self.spaces.add("tun")
        for name, value in settings:
            self.space.run("sysctl", "-qw", f"{name}={value}")
        self.space.run("ip", "tuntap", "add", "dev", "tun0", "mode", "tun")
        self.space.run("ip", "link", "set", "tun0", "mtu", mtu, "up")
        self.space.run("ip", "address", "add", f"{LINUX}/24", "dev", "tun0")
        self.space.run("ip", "address", "add", f"{LINUX6}/64", "dev", "tun0", "nodad")
        self.linux, self.ours = (LINUX6, OURS6) if v6 else (LINUX, OURS)
        self.out, backend = harness.free_port(), harness.free_port()
        self.slow_port, self.slow_out = PORT + 1, harness.free_port()
        inside = f"[{self.linux}]" if v6 else self.linux
        path = os.environ.get("SIDESTREAM_TUN_PEER") or (
            harness.ROOT / "build/dev/tests/peers/tun_peer")
        command = [*self.space.enter, path, "--tun", "tun0", "--address", OURS, "--address", OURS6,
                   "--mtu", mtu, "--in", f"{PORT}=127.0.0.1:{backend}",
                   "--in", f"{self.slow_port}=127.0.0.1:{self.slow_port}",
                   "--out", f"127.0.0.1:{self.out}={inside}:{PORT}",
                   "--out", f"127.0.0.1:{self.slow_out}={inside}:{self.slow_port}"]
        if line:
            command += ["--line", line]
        if keepalive:
            command += ["--keepalive", keepalive]
        self.peer = stage.start("tun_peer", command)
        self.peer.wait_for_line("^ready")
        self.backends = [self.start_backend("our-backend", "127.0.0.1", backend),
                         self.start_backend("linux-backend", self.linux, PORT)]

    def start_backend(self, name, address, port):
        backend = self.stage.start(name, [*self.space.enter, sys.executable, STREAMS, "backend",
                                          address, port, "--seconds", "300"])
        backend.wait_for_line("^ready")
        return backend

    def our_clients(self, *options, **limits):
        return self.clients("127.0.0.1", self.out, "stack to Linux", options, **limits)

    def linux_clients(self, *options, **limits):
        return self.clients(self.ours, PORT, "Linux to stack", options, **limits)

    def clients(self, address, port, what, options, seconds=120):
        done = harness.run([*self.space.enter, sys.executable, STREAMS, "clients", address, port,
                            "--seconds", seconds, *options], seconds=seconds + 30, check=False)
        harness.expect(done.returncode == 0, done.stdout + done.stderr)
        verdict = json.loads(done.stdout)
        print(f"  {what}: {verdict['good']} streams, {verdict['bytes'] / 1e6:.1f} MB, "
              f"{verdict['bytes'] * 8 / verdict['seconds'] / 1e6:.1f} Mbit/s")
        return verdict

    def counter(self, name, file="netstat"):
        """One of Linux's own counters in this namespace."""
        lines = self.space.run("cat", f"/proc/net/{file}").splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            if name in names.split():
                return int(values.split()[names.split().index(name)])
        raise harness.Failure(f"no counter {name}")

    @contextlib.contextmanager
    def inside(self):
        """Sockets made within are of the namespace."""
        with open(f"/run/netns/{self.space.name}") as space, \
                open("/proc/thread-self/ns/net") as home:
            enter_namespace(space)
            try:
                yield
            finally:
                enter_namespace(home)

    def connect(self, from_stack):
        """(client, server): one stream between ordinary sockets, dialled by either side."""
        with self.inside():
            family = socket.AF_INET6 if ":" in self.linux and from_stack else socket.AF_INET
            listener = socket.create_server(
                (self.linux if from_stack else "127.0.0.1", self.slow_port), family=family)
            client = socket.create_connection(
                ("127.0.0.1", self.slow_out) if from_stack else (self.ours, self.slow_port), 10)
            listener.settimeout(10)
            server, _ = listener.accept()
            listener.close()
        for end in (client, server):
            end.settimeout(60)
        return client, server

    def all_is_well(self):
        for backend in self.backends:
            harness.expect(backend.stop() == 0, backend.tail())
        self.peer.stop()
        harness.expect("ended with 0 pairs" in self.peer.output(), self.peer.tail())
        print("  " + self.peer.output().strip().splitlines()[-1])


class Stage(harness.Stage):
    """A stage that also leaves context managers."""

    def __init__(self):
        super().__init__()
        self.contexts_ = contextlib.ExitStack()

    def enter(self, context):
        return self.contexts_.enter_context(context)

    def close(self):
        super().close()
        self.contexts_.close()


def stream_both_ways(pair, streams, *options):
    pair.our_clients("--streams", streams, *options)
    pair.linux_clients("--streams", streams, "--first", streams, *options)


def check_every_ending(stage):
    pair = Pair(stage)
    stream_both_ways(pair, 200)
    pair.all_is_well()


def check_ipv6(stage):
    pair = Pair(stage, v6=True)
    stream_both_ways(pair, 100)
    pair.all_is_well()


def check_bulk_both_ways(stage):
    pair = Pair(stage, line="delay=10,rate=6250000,queue=125000")  # 50 Mbit/s, 20 ms, 1 BDP
    for clients in (pair.our_clients, pair.linux_clients):
        clients("--streams", 2, "--up", 10_000_000, "--down", 1000, "--endings", "client_first")
        clients("--streams", 2, "--up", 1000, "--down", 10_000_000, "--endings", "backend_first")
        clients("--streams", 2, "--up", 5_000_000, "--down", 5_000_000, "--endings", "both")
    pair.all_is_well()


def check_loss_of_three_percent_each_way(stage):
    pair = Pair(stage, line="delay=10,loss=0.03")
    stream_both_ways(pair, 30, "--up", 200_000, "--down", 200_000, "--endings", NO_RESETS)
    pair.all_is_well()


def check_loss_by_a_firewall(stage):
    pair = Pair(stage, line="delay=10")
    pair.space.run("nft", "-f", "-", input="table inet loss { chain input { "
                   "type filter hook input priority 0; "
                   "iifname tun0 numgen random mod 1000 < 30 drop; }; }\n")
    stream_both_ways(pair, 30, "--up", 200_000, "--down", 200_000, "--endings", NO_RESETS)
    pair.all_is_well()


def check_disorder_duplicates_and_damage(stage):
    pair = Pair(stage, line="delay=10,reorder=0.1,duplicate=0.05,corrupt=0.01,loss=0.01")
    stream_both_ways(pair, 30, "--up", 200_000, "--down", 200_000, "--endings", NO_RESETS)
    pair.all_is_well()


def check_hosts_without_the_newer_options(stage):
    pair = Pair(stage, line="delay=10,loss=0.01,reorder=0.05,duplicate=0.03")
    names = ["tcp_sack", "tcp_timestamps", "tcp_window_scaling"]
    for off in (*[[name] for name in names], names):
        for name in names:
            pair.space.run("sysctl", "-qw", f"net.ipv4.{name}={0 if name in off else 1}")
        print(f"  without {', '.join(off)}")
        stream_both_ways(pair, 20, "--up", 100_000, "--down", 100_000, "--endings", NO_RESETS)
    pair.all_is_well()


def check_a_reader_that_sleeps_shuts_the_window(stage):
    """40 MB to someone who reads nothing for four seconds, and then everything."""
    pair = Pair(stage, line="delay=5")
    content = os.urandom(40_000_000)
    for from_stack in (True, False):
        for client_sends in (True, False):
            client, server = pair.connect(from_stack)
            writer, reader = (client, server) if client_sends else (server, client)
            sending = threading.Thread(target=lambda: (writer.sendall(content),
                                                       writer.shutdown(socket.SHUT_WR)))
            sending.start()
            time.sleep(4)
            harness.expect(sending.is_alive(), "40 MB went to a reader that sleeps")
            seen, count = hashlib.sha256(), 0
            while piece := reader.recv(1 << 16):
                seen.update(piece)
                count += len(piece)
            harness.expect(seen.digest() == hashlib.sha256(content).digest(),
                           f"{count} bytes arrived, not the {len(content)} that were sent")
            sending.join()
            client.close()
            server.close()
    print(f"  Linux saw {pair.counter('TCPFromZeroWindowAdv')} openings of its own window, "
          f"sent {pair.counter('TCPWinProbe')} probes")
    pair.all_is_well()


def check_a_half_closed_stream_stays(stage):
    pair = Pair(stage)
    for from_stack in (True, False):
        client, server = pair.connect(from_stack)
        client.shutdown(socket.SHUT_WR)
        harness.expect(server.recv(10) == b"", "the end did not arrive")
        for _ in range(3):
            time.sleep(1)
            server.sendall(b"still here")
            harness.expect(client.recv(100) == b"still here", "the other direction ended too")
        server.close()
        harness.expect(client.recv(10) == b"", "the second end did not arrive")
        client.close()
    pair.all_is_well()


def check_resets_arrive(stage):
    pair = Pair(stage)
    for from_stack in (True, False):
        for client_resets in (True, False):
            client, server = pair.connect(from_stack)
            client.sendall(b"x")
            server.recv(1)
            breaker, other = (client, server) if client_resets else (server, client)
            breaker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            breaker.close()
            try:
                other.recv(1)
                raise harness.Failure("an end in order instead of a reset")
            except ConnectionResetError:
                other.close()
    pair.all_is_well()


def check_refusals_are_quick(stage):
    pair = Pair(stage)
    with pair.inside():
        began = time.monotonic()
        try:
            socket.create_connection((pair.ours, 9), 5)
            raise harness.Failure("a connection to a port where nobody listens")
        except ConnectionRefusedError:
            pass
        # The stack dials a port of Linux where nobody listens: our client's stream ends at once.
        client = socket.create_connection(("127.0.0.1", pair.slow_out), 5)
    client.settimeout(5)
    with contextlib.suppress(ConnectionResetError):
        client.recv(1)
    harness.expect(time.monotonic() - began < 1, "refusals took over a second")
    pair.all_is_well()


def check_keepalive_is_answered_and_asked(stage):
    pair = Pair(stage, keepalive=1)
    client, server = pair.connect(from_stack=False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                          (socket.TCP_KEEPCNT, 2)):
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    time.sleep(6)
    client.sendall(b"alive")
    harness.expect(server.recv(10) == b"alive", "an idle stream broke")
    time.sleep(0.5)  # all is acknowledged
    pair.peer.signal(signal.SIGUSR1)  # now nobody hears anybody; both find out by themselves
    began = time.monotonic()
    for end, who in ((server, "the stack"), (client, "Linux")):
        end.settimeout(15)
        try:
            harness.expect(end.recv(1) == b"", "text out of nowhere")
            raise harness.Failure(f"{who} ended the stream in order")
        except (ConnectionResetError, TimeoutError) as error:
            harness.expect(time.monotonic() - began < 14, f"{who} did not notice: {error}")
        end.close()
    print(f"  both noticed within {time.monotonic() - began:.1f} s")
    pair.all_is_well()


def check_a_narrow_path_behind_linux(stage):
    """Linux forwards to a host behind a link of 1300 bytes and says so by ICMP."""
    pair = Pair(stage, settings=[("net.ipv4.ip_forward", 1)])
    far = pair.spaces.add("far")
    pair.spaces.link(pair.space, "10.8.1.1/24", far, "10.8.1.2/24", mtu=1300)
    # The far host says that it takes more than its link does: only ICMP tells about the link.
    far.run("ip", "route", "add", "10.8.0.0/24", "via", "10.8.1.1", "advmss", "1380")
    out = harness.free_port()
    wide = pair.stage.start("far-backend", [*far.enter, sys.executable, STREAMS, "backend",
                                            "10.8.1.2", PORT, "--seconds", "300"])
    wide.wait_for_line("^ready")
    pair.peer.stop()
    path = os.environ.get("SIDESTREAM_TUN_PEER") or (
        harness.ROOT / "build/dev/tests/peers/tun_peer")
    again = pair.stage.start("tun_peer_again", [
        *pair.space.enter, path, "--tun", "tun0", "--address", OURS,
        "--out", f"127.0.0.1:{out}=10.8.1.2:{PORT}"])
    again.wait_for_line("^ready")
    pair.clients("127.0.0.1", out, "stack to far host",
                 ("--streams", 3, "--up", 2_000_000, "--down", 10_000, "--endings", NO_RESETS))
    told = pair.counter("FragFails", "snmp")
    print(f"  {told} packets did not fit")
    harness.expect(told > 0, "no packet was too long: this shows nothing")
    harness.expect(wide.stop() == 0, wide.tail())


def check_echo(stage):
    pair = Pair(stage, settings=[("net.ipv4.ping_group_range", "0 2147483647")])
    with pair.inside():
        for family, protocol, kind, address in (
                (socket.AF_INET, socket.IPPROTO_ICMP, 8, OURS),
                (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, OURS6)):
            with socket.socket(family, socket.SOCK_DGRAM, protocol) as echo:
                echo.settimeout(5)
                text = os.urandom(1200)
                echo.sendto(struct.pack(">BBHHH", kind, 0, 0, 0, 1) + text, (address, 0))
                harness.expect(echo.recv(2000)[8:] == text, f"{address} echoed something else")
    pair.all_is_well()


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals(), Stage)
