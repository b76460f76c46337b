"""An edge behind what an edge sees of Traefik (traefik_stand_in.py, no Traefik): what is published
is served to it and read back, and what it does not have is not `granted`."""

import re
import sys

import harness
import traefik_stand_in
from named_backends import ask, named_backend
from router_edge import LiveStreams, RouterWorld, documented_configuration, service


class Traefik:
    def __init__(self, stage, world):
        self.stage = stage
        self.world = world
        self.program = None
        self.starts = 0

    def start(self):
        self.starts += 1
        ports = {"names": self.world.names_port, "raw": self.world.raw_port}
        self.program = self.stage.start(f"traefik-{self.starts}", [
            sys.executable, traefik_stand_in.__file__, self.world.api_port,
            self.world.provider, *(f"{name}={port}" for name, port in ports.items())])
        self.program.wait_for_line("^ready")
        return self


def world_with_traefik(stage, file=None):
    api_port, provider_port = harness.free_port(), harness.free_port()
    how = {"file": str(file)} if file else {"provider": f"127.0.0.1:{provider_port}"}
    world = RouterWorld(stage, lambda inlet: {"traefik": {
        "listen": inlet, "api": f"127.0.0.1:{api_port}",
        **how}})
    world.api_port, world.provider = api_port, file or provider_port
    world.edge.start().wait_until_up()
    return world, Traefik(stage, world)


def check_names_and_ports_lead_home(stage):
    world, traefik = world_with_traefik(stage)
    one, _ = named_backend(b"one")
    wild, _ = named_backend(b"wild")
    live = LiveStreams(stage, world, seconds=18)
    exact, wildcard = world.name("one.test"), world.name("*.wild.test")
    port, missing = f":{world.raw_port}", f":{world.missing_port}"
    services = {"one": service([exact, missing], one.port), "wild": service(wildcard, wild.port),
                "live": live.service}
    world.start_sidecar(services)
    world.wait_until_waiting(exact, "API on .* cannot be asked")
    traefik.start()
    world.wait_until_granted(exact, wildcard, port)
    world.wait_until_waiting(missing, "has no entry point there")
    live.start()
    answers = [ask(world.names_port, name) for name in ("one.test", "ONE.Test", "a.wild.test")]
    harness.expect(answers == [b"one", b"one", b"wild"], answers)
    for name in ("a.b.wild.test", "two.test", None):
        harness.expect(ask(world.names_port, name) in (b"", b"reset"), f"{name} is nobody's")

    del services["wild"]
    world.publish(services)
    harness.eventually(lambda: ask(world.names_port, "a.wild.test") in (b"", b"reset"), 20,
                       "the wildcard is withdrawn")
    harness.expect(ask(world.names_port, "one.test") == b"one", "the other one is not")
    live.expect_all_lived()


def check_it_dies_and_comes_back_empty(stage):
    world, traefik = world_with_traefik(stage)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    traefik.start()
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    traefik.program.kill()
    world.wait_until_waiting(name, "cannot be asked", seconds=5)
    traefik.start()
    world.wait_until_granted(name, seconds=5)
    harness.expect(ask(world.names_port, "one.test") == b"one", "served again")


def check_by_a_file_an_edge_may_be_away(stage):
    folder = stage.folder / "dynamic"
    folder.mkdir()
    file = folder / "sidestream.yaml"
    world, traefik = world_with_traefik(stage, file)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    traefik.start()
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    right = file.read_text()
    world.edge.program.stop()
    traefik.program.kill()
    traefik.start()
    world.edge.start().wait_until_up()
    world.wait_until_granted(name, seconds=10)
    harness.expect(ask(world.names_port, "one.test") == b"one", "served again")
    file.write_text("{}")
    harness.eventually(lambda: file.read_text() == right, 5, "an edited file is written again")


def check_the_documented_addresses_are_the_defaults(stage):
    del stage
    text = documented_configuration("traefik.md", "yml")
    harness.expect(re.search(r'endpoint: "http://127\.0\.0\.1:5148/sidestream"', text), text)
    harness.expect('address: "127.0.0.1:8080"' in text, text)


if __name__ == "__main__":
    harness.main(globals())
