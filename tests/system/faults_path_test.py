"""Faults of the path between sidecar and edge: restarts, new addresses, routers that forget, UDP
that is blocked (docs/reliability.md 1, 4, 5, 7, 17). In network namespaces, so it needs root.
"""

import json
import os
import signal
import time

import harness
from path_world import on_world

AGAIN_SECONDS = 5
ROUNDS = int(os.environ.get("SIDESTREAM_ROUNDS", "5"))


def verdict_of(program):
    program.wait(90)
    return json.loads(program.output().splitlines()[-1])


def worst_of(times):
    """The 95th percentile is the worst of so few."""
    return f"worst of {len(times)}: {max(times):.2f} s (all: {' '.join(f'{t:.2f}' for t in times)})"


@on_world
def check_1_the_edge_is_killed_and_started_again(world):
    for busy in (False, True):
        times = []
        for number in range(ROUNDS):
            time.sleep(3 + 0.7 * number)
            if busy:
                world.ticking(20, f"busy-{number}")
            world.edge.program.kill()
            time.sleep(2)
            began = time.monotonic()
            world.edge.start()
            times.append(world.connect_seconds(began))
        print(f"fault 1: edge killed, back after 2 s, {'busy' if busy else 'idle'}: first good "
              f"connect after its start, {worst_of(times)}")
        harness.expect(max(times) <= AGAIN_SECONDS, times)


@on_world
def check_1_without_a_word_from_the_edge(world):
    """An edge whose file of endpoints is lost has to wait until the sidecar misses it."""
    times = []
    for number in range(ROUNDS):
        time.sleep(3 + 0.7 * number)
        world.edge.program.kill()
        (world.edge.folder / "state" / "endpoints.json").unlink(missing_ok=True)
        time.sleep(2)
        began = time.monotonic()
        world.edge.start()
        times.append(world.connect_seconds(began))
    print(f"fault 1: the same without endpoints.json, {worst_of(times)}")
    harness.expect(max(times) <= AGAIN_SECONDS, times)


@on_world
def check_4_the_sidecar_gets_a_new_address(world):
    for busy in (True, False):
        times, pauses, lost = [], [], 0
        for number in range(ROUNDS):
            live = world.ticking(8, f"live-{busy}-{number}") if busy else None
            time.sleep(1)
            world.move_home()
            times.append(world.connect_seconds())
            if live:
                verdict = verdict_of(live)
                lost += verdict["lost"]
                pauses.append(verdict["pause"])
        live_text = f"; {lost} of {20 * ROUNDS} live streams lost, longest pause " \
                    f"{max(pauses):.2f} s" if busy else ""
        print(f"fault 4: new address, {'busy' if busy else 'idle'}: a client is served, "
              f"{worst_of(times)}{live_text}")
        harness.expect(lost == 0 and max(times) <= AGAIN_SECONDS, (lost, times))


@on_world
def check_5_the_router_gets_a_new_address_and_forgets(world):
    times, pauses, lost = [], [], 0
    for number in range(ROUNDS):
        live = world.ticking(8, f"live-{number}")
        time.sleep(1)
        world.move_router()
        times.append(world.connect_seconds())
        verdict = verdict_of(live)
        lost += verdict["lost"]
        pauses.append(verdict["pause"])
    print(f"fault 5: the router's mappings and address are others: a client is served, "
          f"{worst_of(times)}; {lost} of {20 * ROUNDS} live streams lost, longest pause "
          f"{max(pauses):.2f} s")
    harness.expect(lost == 0, lost)


def blocked(world, seconds, direction=""):
    live = world.ticking(seconds + 20, "live")
    used = world.sidecar.cpu_seconds()
    world.block(direction)
    time.sleep(seconds)
    used = world.sidecar.cpu_seconds() - used
    world.unblock()
    back = world.connect_seconds()
    verdict = verdict_of(live)
    harness.expect(verdict["lost"] == 0, verdict)
    return back, verdict, used


@on_world
def check_7_udp_is_blocked_for_a_while(world):
    back, verdict, used = blocked(world, 30)
    print(f"fault 7: UDP blocked for 30 s: a client is served {back:.2f} s after that, "
          f"{verdict['lost']} of {verdict['streams']} live streams lost, sidecar's CPU {used:.2f} s")
    harness.expect(back <= AGAIN_SECONDS, back)


@on_world
def long_7_udp_is_blocked_for_ten_minutes(world):
    back, verdict, used = blocked(world, 600)
    print(f"fault 7: UDP blocked for 600 s: a client is served {back:.2f} s after that, "
          f"{verdict['lost']} of {verdict['streams']} live streams lost, sidecar's CPU {used:.2f} s")


@on_world
def check_17_one_direction_is_dead(world):
    world.block("udp sport")
    began = time.monotonic()
    world.sidecar.program.wait_for_line("edge does not answer", seconds=10)
    noticed = time.monotonic() - began
    world.unblock()
    back = world.connect_seconds()
    print(f"fault 17: nothing from the edge: noticed after {noticed:.2f} s, a client is served "
          f"{back:.2f} s after that is over")
    harness.expect(noticed <= 6, noticed)


if __name__ == "__main__":
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    harness.main(globals())
