"""A host that gives little: 2 % of a processor, and nowhere to write (docs/reliability.md 32 and 36)."""

import os
import pathlib
import time

import harness
from faults_control_test import ask, named_backend
from product import Edge, Sidecar

QUOTA_PERCENT = 2
STARVED_SECONDS = 25
PERIOD_MICROSECONDS = 100_000
GROUPS = pathlib.Path("/sys/fs/cgroup")


class LittleProcessor:
    """A control group in which a program gets 2 % of one processor."""

    def __init__(self):
        name = f"sidestream-{os.getpid()}-cpu"
        quota = PERIOD_MICROSECONDS * QUOTA_PERCENT // 100
        if (GROUPS / "cgroup.controllers").exists():
            self.folder = GROUPS / name
            self.folder.mkdir()
            (self.folder / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        else:
            self.folder = GROUPS / "cpu" / name
            self.folder.mkdir()
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))

    def take(self, role):
        (self.folder / "cgroup.procs").write_text(str(role.pid))

    def throttled(self):
        text = (self.folder / "cpu.stat").read_text()
        return int(dict(line.split() for line in text.splitlines())["nr_throttled"])

    def remove(self):
        harness.eventually(lambda: not (self.folder / "cgroup.procs").read_text(), 10, "empty")
        self.folder.rmdir()


def published_pair(stage, **options):
    port = harness.free_port()
    backend, _ = named_backend(b"here")
    edge = Edge(stage, [port])
    sidecar = Sidecar(stage, [edge.invite("home", f":{port}")], {
        "one": {"publish": f":{port}", "backend": f"127.0.0.1:{backend.port}"}}, **options)
    sidecar.program.wait_for_line(" published endpoint=")
    return edge, sidecar, port


def check_32_two_percent_of_a_processor(stage):
    edge, sidecar, port = published_pair(stage)
    group = LittleProcessor()
    group.take(sidecar)
    group.take(edge)
    before = len(edge.log_lines()), len(sidecar.log_lines())
    end, slowest, count = time.monotonic() + STARVED_SECONDS, 0.0, 0
    while time.monotonic() < end:
        began = time.monotonic()
        harness.expect(ask(port) == b"here", "a stream is served")
        slowest, count = max(slowest, time.monotonic() - began), count + 1
        time.sleep(0.05)
    lines = edge.log_lines()[before[0]:] + sidecar.log_lines()[before[1]:]
    for word in ("withdrawn", "tunnel down", "sidecar gone", "nothing is published"):
        harness.expect(not any(word in line for line in lines), "\n".join(lines))
    harness.expect(group.throttled() > 0, "they had what they wanted")
    print(f"fault 32: {count} streams in {STARVED_SECONDS} s, the slowest took {slowest:.2f} s; "
          f"held back {group.throttled()} times; nothing was taken for dead")
    edge.program.kill()
    sidecar.program.kill()
    group.remove()


def check_36_nowhere_to_write(stage):
    read_only = [harness.tool("unshare"), "--mount", "sh", "-ec",
                 "mount --make-rprivate /; mount --bind / /mnt; mount -o remount,bind,ro /mnt; "
                 'exec chroot /mnt "$@"', "sh"]
    _, sidecar, port = published_pair(stage, enter=read_only)
    harness.expect(ask(port) == b"here", "a stream is served")
    for line in ("nothing is kept over restarts", "admin address not available"):
        said = sidecar.program.wait_for_line(f"{line}.*Read-only file system")
        print("fault 36:", said.group(0)[:60])


if __name__ == "__main__":
    harness.main(globals())
