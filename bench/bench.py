"""What dev/bench runs: each measurement beside the same of its peers, in one run, on this machine.

Results go to build/bench/results.json as they come; docs/benchmarks.md and its plots are made from
that file (report.py), so a report never mixes runs.
"""

import argparse
import itertools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import lines
import report
from lines import ROOT, Quality, harness
from namespaces import Namespaces

LINE_PROGRAM = ROOT / "build/bench/bench/wan_line"
RATE_PROGRAM = ROOT / "build/bench/bench/stream_rate"
SEAL_PROGRAM = ROOT / "build/bench/bench/seal_bench"
RESULTS = ROOT / "build/bench/results.json"
UPLOAD_SECONDS = 10
WAYS = {
    "sidestream": lines.Sidestream,
    "bbr": lambda line: lines.KernelTcp(line, "bbr"),
    "cubic": lambda line: lines.KernelTcp(line, "cubic"),
    "wireguard-go": lambda line: lines.WireGuardGoTunnel(line, "bbr"),
    "haproxy": lines.HaproxyAlone,
}
UPLOAD_WAYS = ["sidestream", "bbr", "cubic", "wireguard-go"]
MAIN_LINE = {"rate": 50, "round_trip": 40}


class Scene:
    """A line with one way over it; ends what it started."""

    def __init__(self, way, quality, backend=()):
        self.stage_ = harness.Stage()
        self.spaces_ = Namespaces()
        self.line = lines.Line(self.stage_, self.spaces_, quality, LINE_PROGRAM, backend)
        self.way = WAYS[way](self.line)

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind:
            print(self.stage_.logs(), file=sys.stderr)
        self.stage_.close()
        self.spaces_.__exit__()

    def client(self, what, seconds):
        """A client at the VPS, running; `answer` waits for what it measured."""
        return subprocess.Popen(
            [*self.line.vps.enter, sys.executable, lines.TRAFFIC, what, self.way.address,
             str(self.way.port), str(seconds)], stdout=subprocess.PIPE, text=True)


def answer(client):
    out, _ = client.communicate(timeout=UPLOAD_SECONDS + 60)
    harness.expect(client.returncode == 0, "a client of the measurement failed")
    return json.loads(out)


def megabits(measured):
    return measured["bytes"] * 8 / measured["seconds"] / 1e6


def uploads(grid, ways):
    """Goodput of one upload for each line of `grid` and each way."""
    for cell in grid:
        row = dict(cell)
        for way in ways:
            with Scene(way, Quality(**cell)) as scene:
                row[way] = round(megabits(answer(scene.client("bulk", UPLOAD_SECONDS))), 2)
        print("  upload", row, flush=True)
        yield row


def interactive(ways):
    """Round trips of small questions on an empty line and beside a bulk upload, in ms."""
    for way in ways:
        with Scene(way, Quality(**MAIN_LINE)) as scene:
            alone = answer(scene.client("echo", 5))["round_trips"]
            upload = scene.client("bulk", UPLOAD_SECONDS + 3)
            time.sleep(3)
            beside = answer(scene.client("echo", UPLOAD_SECONDS - 2))["round_trips"]
            bulk = megabits(answer(upload))
        row = {"way": way, "bulk": round(bulk, 2)}
        for name, times in (("alone", alone), ("beside", beside)):
            row[name] = [round(1000 * value, 1) for value in
                         (statistics.median(times), statistics.quantiles(times, n=20)[-1])]
        print("  interactive", row, flush=True)
        yield row


def fairness(ways, count=4):
    """Several uploads at once: Jain's index of what each got, and the sum."""
    for way in ways:
        with Scene(way, Quality(**MAIN_LINE)) as scene:
            clients = [scene.client("bulk", 2 * UPLOAD_SECONDS) for _ in range(count)]
            rates = [megabits(answer(client)) for client in clients]
        index = sum(rates) ** 2 / (count * sum(rate * rate for rate in rates))
        row = {"way": way, "jain": round(index, 3), "sum": round(sum(rates), 1)}
        print("  fairness", row, flush=True)
        yield row


def speed(ways):
    """One stream between two namespaces with nothing in the way, in Mbit/s; the best of three."""
    for way in ways:
        rates = []
        for _ in range(3):
            with Scene(way, None) as scene:
                rates.append(megabits(answer(scene.client("bulk", 5))))
        row = {"way": way, "rates": [round(rate) for rate in rates]}
        print("  speed", row, flush=True)
        yield row


def stream_rate(ways, seconds=8, at_once=64):
    """Short streams one after the other, many at once: how many a second, how many failed."""
    for way in ways:
        with Scene(way, None, [RATE_PROGRAM, "serve"]) as scene:
            found = json.loads(harness.run(
                [*scene.line.vps.enter, RATE_PROGRAM, "ask", scene.way.address, scene.way.port,
                 seconds, at_once], seconds=seconds + 30).stdout)
        row = {"way": way, "rate": round(found["whole"] / found["seconds"]),
               "failed": found["failed"]}
        print("  streams", row, flush=True)
        yield row


def memory(idle=9500):
    """Resident bytes of edge and sidecar with no stream and with many that say nothing."""
    with Scene("sidestream", None) as scene:
        roles = {"edge": scene.way.edge, "sidecar": scene.way.sidecar}
        time.sleep(2)
        before = {name: role.resident_bytes() for name, role in roles.items()}
        program = ("import socket,sys,time\n"
                   "kept=[]\n"
                   "for _ in range(int(sys.argv[3])):\n"
                   "    kept.append(socket.create_connection((sys.argv[1],int(sys.argv[2]))))\n"
                   "    kept[-1].sendall(b'echo\\nx'); assert kept[-1].recv(1)==b'x'\n"
                   "print('ready',flush=True); time.sleep(600)\n")
        holder = scene.line.stage.start(
            "holder", [*scene.line.vps.enter, sys.executable, "-c", program, scene.way.address,
                       scene.way.port, idle])
        holder.wait_for_line("ready", seconds=300)
        time.sleep(5)
        after = {name: role.resident_bytes() for name, role in roles.items()}
    row = {"streams": idle, "before": before, "after": after}
    print("  memory", row, flush=True)
    return row


def sealing():
    return harness.run([SEAL_PROGRAM], seconds=120).stdout.splitlines()


def machine():
    model = next((line.split(":", 1)[1].strip() for line in
                  pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "version": harness.run([harness.program(), "version"]).stdout.strip()}


def main():
    parser = argparse.ArgumentParser(prog="dev/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="only the main line (50 Mbit/s, 40 ms); a few minutes")
    parser.add_argument("--no-report", action="store_true", help="leave docs/ alone")
    parser.add_argument("section", nargs="*", help="only these: uploads, interactive, fairness, "
                                                   "speed, streams, memory, sealing")
    options = parser.parse_args()
    losses = [0, 0.001, 0.01, 0.03]
    main_grid = [{**MAIN_LINE, "loss": loss} for loss in losses]
    wide_grid = [{"rate": rate, "round_trip": round_trip, "loss": loss} for rate, round_trip, loss
                 in itertools.product([10, 50, 300], [10, 40, 100, 200], losses)]
    sections = {
        "uploads": lambda: list(uploads(main_grid, UPLOAD_WAYS)),
        "grid": lambda: list(uploads(wide_grid, ["sidestream", "bbr", "cubic"])),
        "interactive": lambda: list(interactive(UPLOAD_WAYS)),
        "fairness": lambda: list(fairness(["sidestream", "bbr"])),
        "speed": lambda: list(speed(["sidestream", "wireguard-go", "bbr"])),
        "streams": lambda: list(stream_rate(["sidestream", "haproxy"])),
        "memory": memory,
        "sealing": sealing,
    }
    wanted = options.section or [name for name in sections if name != "grid" or not options.quick]
    for unknown in set(wanted) - set(sections):
        sys.exit(f"dev/bench: there is no section {unknown}; there are {', '.join(sections)}")
    results = {"machine": machine(), "date": time.strftime("%Y-%m-%d")}
    for name in wanted:
        print(f"{name}:", flush=True)
        results[name] = sections[name]()
        RESULTS.write_text(json.dumps(results, indent=1))
    if not options.no_report:
        report.write(results, ROOT / "docs")
        print("written: docs/benchmarks.md")


if __name__ == "__main__":
    main()
