"""Which clients a service takes, asked at home before its backend is touched. Clients are addresses
of 127.0.0.0/8, which a socket may choose, and ::1."""

import contextlib
import os
import re
import signal
import socket
import threading
import time

import harness
import metrics_text
from product import Edge, Sidecar

HOME, STRANGER, OTHER = "127.0.0.2", "127.0.0.3", "127.0.1.4"


class Greeter:
    """Says hello, and counts who came."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.came = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            stream, _ = self.listener.accept()
            self.came += 1
            threading.Thread(target=self.greet, args=(stream,), daemon=True).start()

    @staticmethod
    def greet(stream):
        with stream, contextlib.suppress(OSError):
            stream.sendall(b"hello")
            while part := stream.recv(100):
                stream.sendall(part)


class Home:
    def __init__(self, stage, service, environment=None, edge=None):
        self.backend = Greeter()
        self.port = harness.free_port()
        self.edge = Edge(stage, [self.port], more=edge)
        self.sidecar = Sidecar(
            stage, [self.edge.invite("home", f":{self.port}")],
            # So that the only streams that the backend sees are those of clients.
            {"greeter": {"publish": f":{self.port}", "backend": f"127.0.0.1:{self.backend.port}",
                         "health": "none", **service}}, environment=environment)
        self.sidecar.wait_until_published(f":{self.port}")

    def dial(self, client, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        stream = socket.socket(family)
        stream.settimeout(5)
        stream.bind((client, 0))
        stream.connect((address, self.port))
        return stream

    def serves(self, client, address="127.0.0.1"):
        try:
            with self.dial(client, address) as stream:
                return stream.recv(5) == b"hello"
        except ConnectionResetError:
            return False

    def reload(self, **service):
        self.sidecar.configuration["services"]["greeter"].update(service)
        self.sidecar.write_configuration()
        before = self.sidecar.program.output().count("configuration reloaded")
        self.sidecar.program.signal(signal.SIGHUP)
        harness.eventually(
            lambda: self.sidecar.program.output().count("configuration reloaded") > before, 5,
            "a reload")
        self.sidecar.wait_until_published(f":{self.port}")
        time.sleep(0.2)  # until the edge sends streams to the new rules

    def metric(self, name, **labels):
        page = harness.run(["curl", "-sf", "--unix-socket", self.sidecar.admin,
                            "http://admin/metrics"]).stdout
        return metrics_text.parse(page)[name].value(service="greeter", **labels)

    def refusals_told(self):
        return re.findall(r"stream ended.* client=\S*?([0-9a-f:.]+)\S*:\d+ .*allow and deny",
                          self.sidecar.program.output())


def check_only_those_who_are_allowed_reach_the_backend(stage):
    home = Home(stage, {"allow": [f"{HOME}/32", "127.0.1.0/24"], "deny": "127.0.1.4"})
    harness.expect(home.serves(HOME) and home.serves("127.0.1.5"), "who is allowed")
    came = home.backend.came
    for client in (STRANGER, STRANGER, STRANGER, OTHER):
        harness.expect(not home.serves(client), client)
    harness.expect(home.backend.came == came == 2, f"the backend saw {home.backend.came}")
    told = harness.eventually(lambda: len(home.refusals_told()) == 2 and home.refusals_told(), 3,
                              "a line for each client")
    harness.expect(told == [STRANGER, OTHER], told)
    refused = home.metric("sidestream_service_streams_refused_total", reason="denied")
    harness.expect(refused == 4, f"{refused} counted")


def check_a_reload_changes_who_is_allowed(stage):
    home = Home(stage, {"allow": HOME})
    with home.dial(HOME) as live:
        harness.expect(live.recv(5) == b"hello", "allowed")
        home.reload(allow=STRANGER)
        harness.expect(home.serves(STRANGER), "the new rule")
        harness.expect(not home.serves(HOME), "the old rule is gone")
        live.sendall(b"still")
        harness.expect(live.recv(5) == b"still", "what lives goes on")
    # A file with a mistake changes nothing.
    home.sidecar.configuration["services"]["greeter"]["deny"] = "127.0.0.3/8"
    home.sidecar.write_configuration()
    home.sidecar.program.signal(signal.SIGHUP)
    home.sidecar.program.wait_for_line("this is an address in a network; write the network")
    harness.expect(home.serves(STRANGER), "the rule from before")


def check_ipv6_and_what_comes_by_ipv4_to_a_dual_stack_port(stage):
    home = Home(stage, {"allow": ["::1", f"::ffff:{HOME}"]},
                edge={"public": {"address": "::", "ports": ["1-65535"]}})
    harness.expect(home.serves("::1", "::1"), "IPv6")
    harness.expect(home.serves(HOME), "IPv4, written as mapped")
    harness.expect(not home.serves(STRANGER), "another of IPv4")
    home.reload(allow=["127.0.0.0/8"])
    harness.expect(not home.serves("::1", "::1"), "IPv6 is not in it")
    harness.expect(home.serves(STRANGER), "IPv4")


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
