"""A thousand bulk streams whose readers have stopped, through containers of 64 MB (fault 31 of
docs/reliability.md). As a program, in the network of the daemon's host:

    stalled_readers.py PORT      prints the port of its backend, dials PORT when somebody is there,
                                 prints how many streams live in the end
"""

import contextlib
import json
import pathlib
import re
import socket
import sys
import time

from docker import IMAGE, harness

from faults_memory_test import STREAMS, Flood  # pylint: disable=wrong-import-order

SANDBOX = ["--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges", "--user",
           "65532"]
MEMORY = ["--memory", "64m", "--memory-swap", "64m"]
PORT = 7001
SECONDS = 5
KEPT_MIN = 700


def flood(port):
    load = Flood(upwards=False)
    print(f"backend {load.port}", flush=True)
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        time.sleep(0.1)
    for _ in range(STREAMS):
        load.add_client(port)
    time.sleep(SECONDS)
    print(f"kept {sum(load.alive())}", flush=True)
    load.close()


def start(docker, name, *command, **environment):
    variables = [word for key, text in environment.items()
                 for word in ("--env", f"SIDESTREAM_{key}={text}")]
    docker.run("run", "--detach", "--name", name, "--network", "host", *SANDBOX, *MEMORY, *variables,
               IMAGE, *command)


def most_bytes(docker, name):
    """By the control group, of version 1 or 2."""
    identity = docker.run("inspect", "--format", "{{.Id}}", name).stdout.strip()
    for path in (f"memory/docker/{identity}/memory.max_usage_in_bytes",
                 f"system.slice/docker-{identity}.scope/memory.peak",
                 f"docker/{identity}/memory.peak"):
        with contextlib.suppress(OSError):
            return int((pathlib.Path("/sys/fs/cgroup") / path).read_text(encoding="ascii"))
    return 0


def stalled_readers_fit_into_64_mb(docker):
    load = docker.stage.start("flood", docker.in_its_network(sys.executable, __file__, str(PORT)))
    backend = load.wait_for_line(r"^backend (\d+)").group(1)
    start(docker, "little-edge", "edge", ENDPOINT="127.0.0.1:51820",
          TUNNEL_LISTEN="127.0.0.1:51820", PUBLIC_ADDRESS="127.0.0.1", PUBLIC_PORTS=str(PORT))
    harness.eventually(lambda: docker.run("exec", "little-edge", "sidestream", "health",
                                          check=False).returncode == 0, 20, "the edge is healthy")
    printed = docker.run("exec", "little-edge", "sidestream", "invite", "home", "--allow",
                         f":{PORT}").stdout
    start(docker, "little-sidecar", TICKET=re.search(r"ss1_[A-Za-z0-9_-]+", printed).group(0),
          PUBLISH=f":{PORT}", BACKEND=f"127.0.0.1:{backend}", HEALTH="none")
    kept = int(load.wait_for_line(r"^kept (\d+)", 60).group(1))
    most = {name: most_bytes(docker, name) for name in ("little-edge", "little-sidecar")}
    for name in most:
        state = json.loads(docker.run("inspect", name).stdout)[0]["State"]
        harness.expect(state["Running"] and not state["OOMKilled"], f"{name}: {state}")
        harness.expect(docker.run("exec", name, "sidestream", "status", check=False).returncode == 0,
                       f"{name} answers status")
    print(f"  {STREAMS} streams with stalled readers, 64 MB each: {kept} live on, no program was "
          "ended; at most " + " and ".join(f"{one / 2**20:.0f} MiB" for one in most.values()))
    harness.expect(kept >= KEPT_MIN, f"{kept} streams live")
    docker.run("rm", "--force", "--volumes", *most)


if __name__ == "__main__":
    flood(int(sys.argv[1]))
