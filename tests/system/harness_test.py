"""The harness itself: a check that cannot fail is worse than none."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import backends
import harness


def fails(action, words):
    try:
        action()
    except harness.Failure as failure:
        harness.expect(words in str(failure), f"'{failure}' does not say '{words}'")
        return
    raise harness.Failure(f"did not fail with '{words}'")


def check_a_missing_line_fails_within_its_deadline(stage):
    silent = stage.start("silent", ["sleep", "30"])
    began = time.monotonic()
    fails(lambda: silent.wait_for_line("never", seconds=0.3), "not within 0.3 s")
    harness.expect(time.monotonic() - began < 5, "the deadline was not kept")


def check_an_early_end_fails_at_once_and_shows_the_log(stage):
    short = stage.start("short", ["sh", "-c", "echo what went wrong; exit 3"])
    fails(lambda: short.wait_for_line("never", seconds=30), "ended with code 3")
    fails(lambda: short.wait_for_line("never", seconds=30), "what went wrong")


def check_a_failing_command_fails(_stage):
    fails(lambda: harness.run(["false"]), "exit code 1")
    fails(lambda: harness.run(["sleep", "30"], seconds=0.2), "not ended after 0.2 s")


def check_a_stage_leaves_nothing_behind(_stage):
    with harness.Stage() as stage:
        folder = stage.folder
        stubborn = stage.start("stubborn", ["sh", "-c", "trap '' TERM; echo up; sleep 100"])
        stubborn.wait_for_line("up")
        stubborn.kill()
        obedient = stage.start("obedient", ["sleep", "100"])
    harness.expect(not folder.exists(), "the folder is still there")
    harness.expect(not stubborn.running() and not obedient.running(), "a program still runs")


def check_programs_end_with_a_test_that_is_killed(stage):
    script = stage.write("killed.py", f"import sys; sys.path.insert(0, {str(harness.ROOT)!r} +"
                         "'/tests/system')\nimport harness, time\nstage = harness.Stage()\n"
                         "print(stage.start('child', ['sleep', '100']).pid, stage.folder,"
                         " flush=True)\ntime.sleep(100)\n")
    test = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    child, folder = test.stdout.readline().split()
    test.send_signal(signal.SIGKILL)
    test.wait()
    test.stdout.close()
    harness.eventually(lambda: not pathlib.Path(f"/proc/{child}/exe").exists(), 5, "the child ends")
    harness.run(["rm", "-r", folder])


def check_free_ports_are_different_and_free(_stage):
    ports = [harness.free_port() for _ in range(50)]
    harness.expect(len(set(ports)) == 50, "the same port twice")
    harness.expect(not any(harness.port_open(port) for port in ports), "a port is in use")


def check_backends_answer(stage):
    ssh = backends.OpenSshServer(stage)
    answer = harness.run([*ssh.ssh("127.0.0.1", ssh.port), "echo", "$((6 * 7))"])
    harness.expect(answer.stdout == "42\n", answer.stdout)
    tls = backends.TlsServer(stage, "tls.demo.test")
    page = harness.run(["curl", "-sS", "--noproxy", "*", "--cacert", tls.certificate,
                        "--resolve", f"tls.demo.test:{tls.port}:127.0.0.1",
                        f"https://tls.demo.test:{tls.port}/"])
    harness.expect("Ciphers supported" in page.stdout, page.stdout)


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
