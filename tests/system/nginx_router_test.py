"""NGINX accepts for the edge: what is published and withdrawn is so in NGINX after one reload,
whatever happens to it meanwhile, and no live stream is lost."""

import threading
import time

import harness
from named_backends import ask, named_backend
from nginx_router import world_with_nginx
from router_edge import LiveStreams, log_time, service

PUT_RIGHT_SECONDS = 5


def check_names_and_ports_lead_home(stage):
    world, nginx = world_with_nginx(stage)
    one, _ = named_backend(b"one")
    wild, _ = named_backend(b"wild")
    raw, _ = named_backend(b"raw")
    exact, wildcard = world.name("one.test"), world.name("*.wild.test")
    port, missing = f":{world.raw_port}", f":{world.missing_port}"
    services = {"one": service(exact, one.port), "wild": service(wildcard, wild.port),
                "raw": service([port, missing], raw.port)}
    world.start_sidecar(services)
    world.wait_until_granted(exact, wildcard, port)
    world.wait_until_waiting(missing, "NGINX does not listen there")
    harness.expect(world.edge.status()["router"].startswith("nginx 1."), world.edge.status())
    answers = [ask(world.names_port, name) for name in ("one.test", "ONE.Test.", "a.wild.test")]
    harness.expect(answers == [b"one", b"one", b"wild"], answers)
    closed = {b"", b"reset"}
    for name in ("a.b.wild.test", "wild.test", "two.test"):
        harness.expect(ask(world.names_port, name) in closed, f"{name} is nobody's")
    harness.expect(ask(world.raw_port) == b"raw", "the port leads home")
    harness.expect(ask(world.raw_port + 1) in closed, "closed")

    # What says no name goes to the port itself once somebody has it; a withdrawn name, too.
    rest = f":{world.names_port}"
    services["raw"]["publish"].append(rest)
    del services["wild"]
    world.publish(services)
    world.wait_until_granted(rest, seconds=15)
    harness.expect(ask(world.names_port) == b"raw" and ask(world.names_port, "no.test") == b"raw",
                   "the rest of the port")
    harness.eventually(lambda: nginx.endpoints() == {exact, port, missing, rest}, 20,
                       f"the wildcard is gone from {nginx.endpoints()}")
    harness.eventually(lambda: ask(world.names_port, "a.wild.test") == b"raw", 5, "withdrawn")


def check_1000_routes_hand_edits_and_reloads_beside_100_live_streams(stage):
    world, nginx = world_with_nginx(stage)
    live = LiveStreams(stage, world, seconds=30)
    one, _ = named_backend(b"one")
    names = [world.name(f"n{number}.test") for number in range(990)]
    services = {"live": live.service, "names": service(names[:90], one.port)}
    world.start_sidecar(services)
    world.wait_until_granted(names[0], f":{world.raw_port}")
    live.start()
    world.wait_until_it_removes()
    reloads = nginx.reloads()
    for hundred in range(9):
        at = 90 + 100 * hundred
        services[f"names{hundred}"] = service(names[at:at + 100], one.port)
    world.publish(services)
    world.wait_until_granted(names[-1], seconds=20)
    harness.expect(ask(world.names_port, "n989.test") == b"one", "the last of them leads home")
    through = time.time()
    line = world.edge.program.wait_for_line(r"^.*published.*n989\.test.*$").group(0)
    print(f"  900 routes more: granted and served {through - log_time(line):.2f} s after the edge "
          f"heard of them, {nginx.reloads() - reloads} reload", flush=True)
    harness.expect(nginx.reloads() == reloads + 1, "one reload")
    hand_edits(world, nginx, names)
    print(f"  {nginx.reloads()} reloads since the start; workers of all generations: "
          f"{nginx.workers()}", flush=True)
    live.expect_all_lived()


def hand_edits(world, nginx, names):
    right = nginx.file.read_text()

    def is_right():
        return nginx.endpoints() == {*names, f":{world.raw_port}"} and ask(
            world.names_port, "n1.test") == b"one"
    nginx.file.write_text(right.replace('"n1.test:', '"n1.elsewhere:'))
    nginx.reload()
    began = time.monotonic()
    harness.eventually(lambda: '"n1.test:' in nginx.file.read_text(), PUT_RIGHT_SECONDS,
                       "an edited file is written again")
    harness.eventually(is_right, PUT_RIGHT_SECONDS, "and loaded")
    print(f"  an edited file: right after {time.monotonic() - began:.2f} s", flush=True)


def check_nginx_dies_and_comes_back(stage):
    world, nginx = world_with_nginx(stage)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    nginx.program.kill()
    world.wait_until_waiting(name, "nobody answers", seconds=PUT_RIGHT_SECONDS)
    nginx.start()
    harness.eventually(lambda: ask(world.names_port, "one.test") == b"one", PUT_RIGHT_SECONDS,
                       "served again")
    world.wait_until_granted(name, seconds=PUT_RIGHT_SECONDS)


def check_somebody_else_reloads(stage):
    """As systemd does when the file changes."""
    world, nginx = world_with_nginx(stage, "watched")
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    over = threading.Event()

    def watch():
        seen = nginx.file.stat().st_ino
        while not over.wait(0.05):
            if nginx.file.stat().st_ino != seen:
                seen = nginx.file.stat().st_ino
                nginx.reload()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        world.start_sidecar({"one": service(name, one.port)})
        world.wait_until_granted(name)
        harness.expect(ask(world.names_port, "one.test") == b"one", "served")
    finally:
        over.set()
        watching.join()


if __name__ == "__main__":
    harness.main(globals())
