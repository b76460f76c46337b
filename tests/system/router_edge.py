"""An edge whose public connections are accepted by another program, beside it on loopback, which is
started with the configuration that the document of that router has."""

import datetime
import json
import re
import sys

import harness
import ticking_streams
from product import Edge, Sidecar


def documented_configuration(document, language):
    """The first block of code in that language."""
    text = (harness.ROOT / "docs/edges" / document).read_text(encoding="utf-8")
    block = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    harness.expect(block, f"docs/edges/{document} has no block of {language}")
    return block.group(1)


def replaced(text, replacements):
    """Each of them must be there: the document and the test belong together."""
    for old, new in replacements.items():
        harness.expect(old in text, f"the documented configuration has no {old!r}")
        text = text.replace(old, str(new))
    return text


def free_range(count):
    """Ports beside each other that are free now; the first one."""
    while True:
        ports = [harness.free_port() for _ in range(count)]
        if ports[-1] - ports[0] == count - 1:
            return ports[0]


class RouterWorld:
    """The edge, one sidecar, and where the router listens: a port for names and a few for all
    else. The router itself is started by who knows it."""

    RAW_PORTS = 4

    def __init__(self, stage, router):
        self.stage = stage
        self.names_port = harness.free_port()
        self.raw_port = free_range(self.RAW_PORTS)
        self.inlet_port = harness.free_port()
        # Public, and the router does not listen there.
        self.missing_port = harness.free_port()
        self.edge = Edge(stage, [self.names_port, f"{self.raw_port}-{self.last_raw_port}",
                                 self.missing_port],
                         more={"router": router(f"127.0.0.1:{self.inlet_port}")}, start=False)
        self.sidecar = None

    @property
    def last_raw_port(self):
        return self.raw_port + self.RAW_PORTS - 1

    @property
    def state(self):
        return self.edge.folder / "state"

    def name(self, text):
        return f"{text}:{self.names_port}"

    def start_sidecar(self, services, **options):
        allow = [f"*.test:{self.names_port}", f"*.wild.test:{self.names_port}"]
        ports = range(self.raw_port, self.last_raw_port + 1)
        allow += [f":{port}" for port in [*ports, self.missing_port, self.names_port]]
        self.sidecar = Sidecar(self.stage, [self.edge.invite("home", *allow)], services, **options)
        return self.sidecar

    def publish(self, services):
        """Gives the running sidecar other services."""
        self.sidecar.configuration["services"] = services
        self.sidecar.write_configuration()
        self.sidecar.program.signal(1)

    def endpoint(self, endpoint):
        """What the edge's status says of an endpoint; {} when nothing."""
        status = self.edge.status() or {"sidecars": []}
        return next((one for sidecar in status["sidecars"] for one in sidecar["endpoints"]
                     if one["endpoint"] == endpoint), {})

    def wait_until_it_removes(self):
        """In an edge's first seconds nothing is taken out of the router."""
        harness.eventually(lambda: self.edge.status()["uptime_ms"] > 10_500, 12, "10 s")

    def wait_until_granted(self, *endpoints, seconds=10):
        for endpoint in endpoints:
            harness.eventually(lambda: self.endpoint(endpoint).get("state") == "granted", seconds,
                               f"{endpoint} granted, not {self.endpoint(endpoint)}")

    def wait_until_waiting(self, endpoint, why, seconds=10):
        harness.eventually(lambda: re.search(why, self.endpoint(endpoint).get("reason", "")),
                           seconds, f"{endpoint} waits because of {why}")


def service(publish, port, **more):
    return {"publish": publish, "backend": f"127.0.0.1:{port}", "health": "none", **more}


def log_time(line):
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()


class LiveStreams:
    """100 streams that go on all the time, every byte compared."""

    STREAMS = 100

    def __init__(self, stage, world, seconds):
        self.seconds = seconds
        echo_port = harness.free_port()
        self.echo = stage.start("echo", [sys.executable, ticking_streams.__file__, "echo",
                                         "127.0.0.1", echo_port])
        self.echo.wait_for_line("^ready")
        self.service = service(f":{world.raw_port}", echo_port)
        self.stage = stage
        self.port = world.raw_port
        self.clients = None

    def start(self):
        self.clients = self.stage.start("clients", [
            sys.executable, ticking_streams.__file__, "clients", "127.0.0.1", self.port,
            "--streams", self.STREAMS, "--seconds", self.seconds, "--interval", "0.2"])
        self.clients.wait_for_line("^up", 30)

    def expect_all_lived(self):
        harness.expect(self.clients.running(), "they were to live until now")
        self.clients.wait(self.seconds + 20)
        verdict = json.loads(self.clients.output().splitlines()[-1])
        print(f"  live streams: {verdict}", flush=True)
        harness.expect(verdict["lost"] == 0 and verdict["streams"] == self.STREAMS, verdict)
