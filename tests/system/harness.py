"""Starts programs for a test, waits for what they say with a deadline, ends all of them.

Python's standard library only. A test is a script with functions `check_…`; each gets a fresh
Stage (a throw-away folder and the programs started in it) and fails by raising:

    import harness

    def check_it_answers(stage):
        server = stage.start("server", ["socat", …])
        server.wait_for_line(r"listening on", seconds=5)
        …

    if __name__ == "__main__":
        harness.main(globals())
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOG_LINES_SHOWN = 40
STOP_SECONDS = 10
# Outside the range from which the kernel takes ports for connections, so that a port found free
# is still free when the program that is told about it comes to bind it.
PORTS = range(10240, 30000)

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What a check expected and did not see."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def program():
    """The sidestream under test: the release build, unless SIDESTREAM_PROGRAM names another."""
    built = ROOT / "build/release/cli/sidestream"
    path = pathlib.Path(os.environ.get("SIDESTREAM_PROGRAM") or built)
    expect(path.is_file(), f"{path} does not exist: run dev/build")
    return str(path)


def tool(name):
    """The path of a program of the system, those for administrators included."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")
    expect(found, f"{name} is not installed: run dev/setup")
    return found


def eventually(predicate, seconds, what):
    """Asks until the answer is true (and returns it); fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = predicate()
        if answer:
            return answer
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.02)


_next_port = PORTS.start + (os.getpid() * 37) % (len(PORTS) - 2000)


def free_port(address="127.0.0.1"):
    """A port that is free for TCP and UDP now; never the same one twice in one process."""
    global _next_port
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(len(PORTS)):
        _next_port = _next_port + 1 if _next_port + 1 in PORTS else PORTS.start
        with contextlib.ExitStack() as sockets:
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    sockets.enter_context(socket.socket(family, kind)).bind((address, _next_port))
                return _next_port
            except OSError:
                continue
    raise Failure(f"no free port on {address}")


def port_open(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for_port(port, seconds=10, address="127.0.0.1"):
    eventually(lambda: port_open(port, address), seconds, f"something listens on {address}:{port}")


def run(command, seconds=30, check=True, **options):
    """Runs a program to its end; its output as text in .stdout and .stderr."""
    command = [str(word) for word in command]
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("text", True)
    if "input" in options:
        del options["stdin"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"not ended after {seconds} s: {shlex.join(command)}\n"
                      f"{late.stdout or ''}{late.stderr or ''}") from None
    if check:
        expect(done.returncode == 0, f"exit code {done.returncode}: {shlex.join(command)}\n"
                                     f"{done.stdout}{done.stderr}")
    return done


class Program:
    """A program that runs beside the test. What it prints goes into its log file."""

    def __init__(self, name, command, log, **options):
        self.name = name
        self.log = log
        self.command = [str(word) for word in command]
        options.setdefault("stdin", subprocess.DEVNULL)
        parent = os.getpid()

        def die_with_parent():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(log, "ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output,
                                            start_new_session=True, preexec_fn=die_with_parent,
                                            **options)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait_for_line(self, pattern, seconds=10):
        """The first match of a regular expression in what was printed so far or will be."""
        def seen():
            match = re.search(pattern, self.output(), re.MULTILINE)
            if not match and not self.running():
                match = re.search(pattern, self.output(), re.MULTILINE)
                expect(match, f"{self.name} ended with code {self.process.returncode} "
                              f"before it printed /{pattern}/\n{self.tail()}")
            return match
        return eventually(seen, seconds, f"{self.name} prints /{pattern}/")

    def wait(self, seconds=STOP_SECONDS):
        """Waits until it has ended by itself and returns its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds} s\n{self.tail()}") from None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def stop(self, seconds=STOP_SECONDS):
        """Asks it to end (SIGTERM) and returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """Ends it and what it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self):
        lines = self.output().splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join(f"  {self.name}: {line}" for line in lines)


class Stage:
    """A throw-away folder and the programs that were started in it. Leaves nothing behind."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sidestream-"))
        self.programs = []

    def start(self, name, command, **options):
        log = self.folder / f"{name}.log"
        started = Program(name, command, log, **options)
        self.programs.append(started)
        return started

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def logs(self):
        return "\n".join(filter(None, (one.tail() for one in self.programs)))

    def close(self):
        for one in reversed(self.programs):
            one.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for one in reversed(self.programs):
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(max(0.0, deadline - time.monotonic()))
            one.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ended_by_signal(number, _frame):
    raise SystemExit(128 + number)


def main(names, stage_class=Stage):
    """Runs each check_… of a script, or the functions named on its command line, on a stage of its
    own. What takes minutes is called long_… and so runs only when it is named."""
    signal.signal(signal.SIGTERM, ended_by_signal)
    wanted = sys.argv[1:]
    checks = [value for name, value in names.items()
              if callable(value) and (name in wanted if wanted else name.startswith("check_"))]
    failures = 0
    for check in checks:
        began = time.monotonic()
        with stage_class() as stage:
            try:
                check(stage)
                verdict = "ok    "
            except Exception as wrong:  # a failed check is reported, the next one runs
                failures += 1
                verdict = "FAILED"
                print(wrong if isinstance(wrong, Failure) else traceback.format_exc(), flush=True)
                print(stage.logs(), flush=True)
        print(f"{verdict} {check.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    if path := os.environ.get("SIDESTREAM_RESULTS"):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(json.dumps({"tests": len(checks), "failures": failures}))
    if not checks:
        print("no such check")
    sys.exit(1 if failures or not checks else 0)
