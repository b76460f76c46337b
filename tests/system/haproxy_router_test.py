"""HAProxy accepts for the edge: what is published, changed and withdrawn is so in HAProxy, whatever
happens to it meanwhile, and no live stream is lost."""

import re
import socket
import statistics
import threading
import time

import harness
import hello_bytes
from faults_streams_test import Listener
from haproxy_router import world_with_haproxy
from named_backends import ask, named_backend
from router_edge import LiveStreams, log_time, service

OURS = "sidestream"
PUT_RIGHT_SECONDS = 5
EFFECTIVE_SECONDS_MAX = 0.1


def check_names_and_ports_lead_home(stage):
    world, haproxy = world_with_haproxy(stage)
    one, _ = named_backend(b"one")
    wild, _ = named_backend(b"wild")
    raw, _ = named_backend(b"raw")
    exact, wildcard = world.name("one.test"), world.name("*.wild.test")
    port, missing = f":{world.raw_port}", f":{world.missing_port}"
    unpublished = world.raw_port + 1
    services = {"one": service(exact, one.port), "wild": service(wildcard, wild.port),
                "raw": service([port, missing], raw.port)}
    world.start_sidecar(services)
    world.wait_until_granted(exact, wildcard, port)
    world.wait_until_waiting(missing, "cannot open a port while it runs")
    harness.expect(re.match(r"haproxy \d", world.edge.status()["router"]), world.edge.status())
    answers = {name: ask(world.names_port, name) for name in
               ("one.test", "ONE.Test.", "a.wild.test", "a.b.wild.test", "wild.test", "two.test")}
    closed = {b"", b"reset"}
    harness.expect([answers.pop(name) for name in ("one.test", "ONE.Test.", "a.wild.test")] ==
                   [b"one", b"one", b"wild"] and set(answers.values()) <= closed, answers)
    harness.expect(ask(world.raw_port) == b"raw", "the port leads home")
    harness.expect(ask(unpublished) in closed and ask(world.names_port) in closed, "closed")
    # What HAProxy has is what is published, in memory and in the file.
    keys = {exact, wildcard, port, missing, str(world.names_port), str(world.raw_port),
            str(world.missing_port)}
    expect_entries(haproxy, keys)

    # What speaks no TLS, or says no name, goes to the port itself once somebody has it.
    rest = f":{world.names_port}"
    services["raw"]["publish"].append(rest)
    world.publish(services)
    world.wait_until_granted(rest)
    harness.expect(ask(world.names_port) == b"raw" and ask(world.names_port, "no.test") == b"raw",
                   "the rest of the port")
    keys.add(rest)
    expect_entries(haproxy, keys)

    # Another service takes over a name, another one goes.
    del services["wild"]
    services["one"]["backend"] = f"127.0.0.1:{raw.port}"
    world.publish(services)
    harness.eventually(lambda: ask(world.names_port, "one.test") == b"raw", 10, "the new backend")
    # The first seconds of an edge are for sidecars to come back in, and nothing is taken away.
    harness.eventually(lambda: wildcard not in dict(haproxy.entries()), 20, "the wildcard is gone")
    harness.expect(ask(world.names_port, "a.wild.test") == b"raw", "the rest of the port has it")
    expect_entries(haproxy, keys - {wildcard})


def expect_entries(haproxy, keys):
    wanted = sorted((key, OURS) for key in keys)
    harness.eventually(lambda: sorted(haproxy.entries()) == wanted, 5,
                       f"HAProxy has {wanted}, not {haproxy.entries()}")
    harness.eventually(lambda: sorted(haproxy.file_entries()) == wanted, 5,
                       f"the file has {wanted}, not {haproxy.file_entries()}")


def check_the_backend_sees_the_client(stage):
    world, _ = world_with_haproxy(stage)
    seen = []

    def remember(connection):
        seen.append(connection.recv(1000))
        connection.close()

    backend = Listener(remember)
    port = f":{world.raw_port}"
    world.start_sidecar({"raw": service(port, backend.port, proxy_protocol="v1")})
    world.wait_until_granted(port)
    with socket.create_connection(("127.0.0.1", world.raw_port), 10,
                                  source_address=("127.9.8.7", 0)) as client:
        own = client.getsockname()[1]
        client.sendall(b"hello")
        client.recv(10)
    header = f"PROXY TCP4 127.9.8.7 127.0.0.1 {own} {world.raw_port}\r\n"
    harness.expect(b"".join(seen).startswith(header.encode()), f"{seen}, not {header}")
    # Nobody may hand over streams in another way than HAProxy does.
    harness.expect(ask(world.inlet_port) in (b"", b"reset"), "no PROXY header, no stream")
    world.edge.program.wait_for_line("no PROXY header")


def check_1000_routes_hand_edits_and_reloads_beside_100_live_streams(stage):
    world, haproxy = world_with_haproxy(stage)
    live = LiveStreams(stage, world, seconds=32)
    one, _ = named_backend(b"one")
    services = {"live": live.service, "names": service([world.name("n0.test")], one.port)}
    world.start_sidecar(services)
    world.wait_until_granted(world.name("n0.test"), f":{world.raw_port}")
    live.start()
    thousand_routes(world, haproxy, services, one.port)
    each_route_within_100_ms(world, services)
    hand_edits(world, haproxy)
    reloads(world, haproxy)
    live.expect_all_lived()


def thousand_routes(world, haproxy, services, port):
    """As many as one sidecar may have, a hundred of a service at most."""
    names = [world.name(f"n{number}.test") for number in range(990)]
    services["names"]["publish"] = names[:90]
    for hundred in range(9):
        at = 90 + 100 * hundred
        services[f"names{hundred}"] = service(names[at:at + 100], port)
    began = time.monotonic()
    world.publish(services)
    harness.eventually(lambda: len(haproxy.entries()) >= 990, 20, "HAProxy has 990 names")
    took = time.monotonic() - began
    world.wait_until_granted(names[0], names[-1], seconds=20)
    harness.expect(ask(world.names_port, "n989.test") == b"one", "the last of them leads home")
    print(f"  {len(haproxy.entries())} entries {took:.2f} s after the sidecar was told", flush=True)


def each_route_within_100_ms(world, services):
    """Between the edge's log line that it is published and the first stream that gets through."""
    times = []
    for number in range(5):
        name = f"later{number}.test"
        services["names"]["publish"].append(world.name(name))
        world.publish(services)
        harness.eventually(lambda name=name: ask(world.names_port, name) == b"one", 5, name)
        through = time.time()
        line = world.edge.program.wait_for_line(rf"^.*published.*{name}.*$").group(0)
        times.append(through - log_time(line))
    print(f"  effective after {[round(one * 1000) for one in times]} ms", flush=True)
    harness.expect(statistics.median(times) < EFFECTIVE_SECONDS_MAX, times)


def hand_edits(world, haproxy):
    world.wait_until_it_removes()
    ours = dict(haproxy.entries())
    key, other, another = (world.name(f"n{number}.test") for number in (1, 2, 3))
    foreign = "mine.example:443"
    map_name = haproxy.map
    haproxy.ask(f"add map {map_name} {foreign} elsewhere")
    edits = {
        "entries removed, changed, doubled, made up":
            f"del map {map_name} {key};set map {map_name} {other} elsewhere;"
            f"add map {map_name} {another} {OURS};"
            f"add map {map_name} nobody.test:{world.names_port} {OURS}",
        "all cleared": f"clear map {map_name};add map {map_name} {foreign} elsewhere",
        "the server disabled": "disable server sidestream/edge",
        "the server drains": "set server sidestream/edge state drain",
        "the server led elsewhere": "set server sidestream/edge addr 127.0.0.9 port 9",
    }

    def is_right():
        entries = haproxy.entries()
        return (len(entries) == len(ours) + 1 and dict(entries) == ours | {foreign: "elsewhere"}
                and haproxy.server() == (f"127.0.0.1:{world.inlet_port}", "0"))
    for what, command in edits.items():
        haproxy.ask(command)
        began = time.monotonic()
        harness.eventually(is_right, PUT_RIGHT_SECONDS, f"{what}: put right")
        harness.expect(ask(world.names_port, "n1.test") == b"one", f"{what}: served")
        print(f"  {what}: right after {time.monotonic() - began:.2f} s", flush=True)
    haproxy.ask(f"del map {map_name} {foreign}")
    # The file, from which HAProxy begins.
    before = sorted(haproxy.file_entries())
    haproxy.map.write_text("mine.example:443 elsewhere\n")
    harness.eventually(lambda: sorted(haproxy.file_entries()) ==
                       sorted([*before, ("mine.example:443", "elsewhere")]), PUT_RIGHT_SECONDS,
                       "the file is right again")


def reloads(world, haproxy):
    """No name is lost for a moment, since the new worker begins with the file."""
    failures, tries, over = [], [0], threading.Event()

    def keep_asking():
        while not over.is_set():
            tries[0] += 1
            try:
                answer = ask(world.names_port, "n2.test")
            except OSError as wrong:
                answer = wrong
            if answer != b"one":
                failures.append(answer)
    asking = threading.Thread(target=keep_asking)
    asking.start()
    for _ in range(3):
        haproxy.reload()
        time.sleep(1)
    over.set()
    asking.join()
    world.wait_until_granted(world.name("n2.test"), seconds=PUT_RIGHT_SECONDS)
    print(f"  3 reloads: {len(failures)} of {tries[0]} streams failed", flush=True)
    harness.expect(not failures, failures[:5])


def check_haproxy_dies_and_comes_back_empty(stage):
    world, haproxy = world_with_haproxy(stage)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    haproxy.program.kill()
    world.wait_until_waiting(name, "nobody serves", seconds=PUT_RIGHT_SECONDS)
    harness.expect("nobody serves" in world.edge.run("status").stdout, "status says it")
    haproxy.map.write_text("")
    haproxy.start()
    began = time.monotonic()
    harness.eventually(lambda: ask(world.names_port, "one.test") == b"one", PUT_RIGHT_SECONDS,
                       "served again")
    world.wait_until_granted(name, seconds=PUT_RIGHT_SECONDS)
    print(f"  served {time.monotonic() - began:.2f} s after it was there again", flush=True)


def check_the_edge_is_started_again_behind_haproxy(stage):
    """Clients that come meanwhile wait, and are served."""
    world, _ = world_with_haproxy(stage)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    world.start_sidecar({"one": service(name, one.port)})
    world.wait_until_granted(name)
    answers = []

    def client():
        with socket.create_connection(("127.0.0.1", world.names_port), 30) as stream:
            stream.settimeout(30)
            stream.sendall(hello_bytes.record(b"one.test"))
            answers.append(stream.recv(100))
    world.edge.program.stop()
    clients = [threading.Thread(target=client) for _ in range(20)]
    for one_client in clients:
        one_client.start()
    time.sleep(1)
    world.edge.start()
    for one_client in clients:
        one_client.join()
    harness.expect(answers == [b"one"] * 20, answers)


def check_another_process_takes_over_behind_haproxy(stage):
    """With the inlet: no stream is lost, and no client waits for HAProxy to try again."""
    world, _ = world_with_haproxy(stage)
    live = LiveStreams(stage, world, seconds=6)
    one, _ = named_backend(b"one")
    name = world.name("one.test")
    world.start_sidecar({"one": service(name, one.port), "live": live.service})
    world.wait_until_granted(name, f":{world.raw_port}")
    live.start()
    longest = 0.0
    world.edge.upgrade()
    for _ in range(50):
        began = time.monotonic()
        harness.expect(ask(world.names_port, "one.test") == b"one", "served all the time")
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
    print(f"  the longest wait of a client: {longest * 1000:.0f} ms", flush=True)
    harness.expect(longest < 1, "HAProxy tried again")
    world.wait_until_granted(name)
    live.expect_all_lived()


if __name__ == "__main__":
    harness.main(globals())
