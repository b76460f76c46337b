"""An edge behind what an edge sees of Caddy with layer4 (caddy_stand_in.py, no Caddy): what is
published is put there and read back, only what is ours is changed, and what is gone comes back."""

import json
import sys
import urllib.request

import caddy_stand_in
import harness
from named_backends import ask, named_backend
from router_edge import LiveStreams, RouterWorld, documented_configuration, service


class Caddy:
    def __init__(self, stage, world, configuration=None):
        self.stage, self.world, self.starts = stage, world, 0
        self.arguments = [world.admin_port]
        if configuration:
            self.arguments.append(stage.write("caddy.json", json.dumps(configuration)))

    def start(self):
        self.starts += 1
        self.program = self.stage.start(f"caddy-{self.starts}", [
            sys.executable, caddy_stand_in.__file__, *self.arguments])
        self.program.wait_for_line("^ready")
        return self

    def ask(self, method="GET", target="/config/", body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.world.admin_port}{target}", method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def servers(self):
        return self.ask()["apps"]["layer4"]["servers"]


def world_with_caddy(stage, configuration=None):
    admin_port = harness.free_port()
    world = RouterWorld(stage, lambda inlet: {"caddy": {"listen": inlet,
                                                        "admin": f"127.0.0.1:{admin_port}"}})
    world.admin_port = admin_port
    caddy = Caddy(stage, world, configuration(world) if configuration else None)
    world.edge.start().wait_until_up()
    return world, caddy


def check_names_and_ports_lead_home(stage):
    world, caddy = world_with_caddy(stage)
    one, _ = named_backend(b"one")
    wild, _ = named_backend(b"wild")
    live = LiveStreams(stage, world, seconds=18)
    exact, wildcard = world.name("one.test"), world.name("*.wild.test")
    port = f":{world.raw_port}"
    services = {"one": service(exact, one.port), "wild": service(wildcard, wild.port),
                "live": live.service}
    world.start_sidecar(services)
    world.wait_until_waiting(exact, "admin API on .* cannot be asked")
    caddy.start()
    world.wait_until_granted(exact, wildcard, port)
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


def check_hand_edits_and_a_restart_are_put_right(stage):
    world, caddy = world_with_caddy(stage)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    caddy.start()
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    right = caddy.servers()
    caddy.ask("DELETE", f"/id/sidestream-{world.names_port}")
    harness.eventually(lambda: caddy.servers() == right, 5, "what was deleted is there again")
    caddy.program.kill()
    world.wait_until_waiting(name, "cannot be asked", seconds=5)
    caddy.start()
    world.wait_until_granted(name, seconds=5)
    harness.expect(ask(world.names_port, "one.test") == b"one", "served again")


def check_what_is_somebody_elses_stays(stage):
    elsewhere, _ = named_backend(b"theirs")
    theirs = {"handle": [{"handler": "proxy", "proxy_protocol": "v2",
                          "upstreams": [{"dial": [f"127.0.0.1:{elsewhere.port}"]}]}]}

    def configuration(world):
        return {"apps": {
            "http": {"servers": {"web": {"listen": [f":{world.missing_port}"], "note": 1.5}}},
            "layer4": {"servers": {"mine": {"listen": [f"127.0.0.1:{world.names_port}"],
                                            "routes": [theirs]}}}}}
    world, caddy = world_with_caddy(stage, configuration)
    caddy.start()
    before = caddy.ask()
    one, _ = named_backend(b"one")
    name, taken = world.name("one.test"), f":{world.missing_port}"
    services = {"one": service([name, taken], one.port)}
    world.start_sidecar(services)
    world.wait_until_granted(name)
    world.wait_until_waiting(taken, "web server listens there")
    routes = caddy.servers()["mine"]["routes"]
    harness.expect(len(routes) == 2 and routes[1] == theirs, routes)
    harness.expect(ask(world.names_port, "one.test") == b"one", "our name is ours")
    world.sidecar.program.stop()
    harness.eventually(lambda: caddy.ask() == before, 15, "nothing of ours is left")


def check_the_documented_address_is_the_default(stage):
    del stage
    text = documented_configuration("caddy.md", "json")
    harness.expect(json.loads(text)["admin"]["listen"] == "127.0.0.1:2019", text)


if __name__ == "__main__":
    harness.main(globals())
