"""A tailnet on the same machine is watched: what the daemon says stands in status, log and metrics,
it may go and come, and `check` and `doctor` say what collides. The daemon is a stand-in with
recorded answers; dev/tailnet has the real one."""

import json

import harness
import metrics_text
from local_api import LocalApi, recorded
from product import Edge

STATUS = "status?peers=false"


def changed(name, **members):
    return 200, json.dumps({**json.loads(recorded(name)), **members})


class Watched:
    """An edge beside a daemon; nobody is enrolled."""

    def __init__(self, stage, more=None, start_daemon=True):
        self.daemon = LocalApi(stage.folder / "tailscaled.sock")
        if start_daemon:
            self.daemon.start()
        self.edge = Edge(stage, [harness.free_port()],
                         more={"tailscale": f"unix:{self.daemon.path}", **(more or {})})

    def tailnet(self):
        return self.edge.wait_until_up().status()["tailnet"]

    def metric(self, name, **labels):
        page = harness.run(["curl", "-sf", "--unix-socket", self.edge.admin,
                            "http://admin/metrics"]).stdout
        return metrics_text.parse(page)[name].value(**labels)

    def wait_for(self, what, seconds, **members):
        harness.eventually(
            lambda: all((self.tailnet() or {}).get(key) == value
                        for key, value in members.items()), seconds, what)


def check_a_running_node_is_told(stage):
    watched = Watched(stage)
    watched.wait_for("the node runs", 5, state="Running", problem="")
    tailnet = watched.tailnet()
    harness.expect(tailnet["addresses"] == ["100.64.0.1", "fd7a:115c:a1e0::1"], str(tailnet))
    harness.expect(tailnet["name"] == "home.tn.test" and tailnet["userspace"], str(tailnet))
    harness.expect(watched.metric("sidestream_tailnet_ready") == 1, "ready")
    harness.expect(watched.metric("sidestream_tailnet_state", state="Running") == 1, "its state")
    table = watched.edge.run("status").stdout
    harness.expect("tailnet node home.tn.test, Running, 100.64.0.1" in table, table)
    harness.expect(not watched.daemon.forbidden, str(watched.daemon.forbidden))


def check_what_happens_to_the_node_is_told(stage):
    watched = Watched(stage)
    watched.wait_for("the node runs", 5, state="Running")
    harness.eventually(lambda: watched.daemon.listeners, 5, "the bus is watched")
    watched.daemon.answers[STATUS] = changed("status-needs-login-1.102.3.json",
                                             AuthURL="https://hs.test/a/1")
    watched.daemon.say({"State": 2})
    watched.wait_for("it has to log in", 2, state="NeedsLogin",
                     problem="the Tailscale node has to log in at https://hs.test/a/1")
    harness.expect(watched.metric("sidestream_tailnet_ready") == 0, "not ready")
    watched.edge.program.wait_for_line("tailnet not ready", 5)
    # It is stopped, another version comes, which has no bus and knows fewer members.
    watched.daemon.stop()
    watched.wait_for("it is gone", 10, state="Unknown")
    watched.daemon.answers.update({
        "bus": (404, "404 not found\n"), "prefs": (404, "404 not found\n"),
        STATUS: changed("status-needs-login-1.80.3.json", BackendState="Running",
                        TailscaleIPs=["100.64.0.77"])})
    watched.daemon.start()
    watched.wait_for("the other one is found", 6, state="Running", addresses=["100.64.0.77"])


def check_a_daemon_that_comes_later_is_found(stage):
    watched = Watched(stage, start_daemon=False)
    watched.wait_for("there is none", 5, state="Unknown")
    harness.expect("there is no socket" in watched.tailnet()["problem"], str(watched.tailnet()))
    watched.daemon.start()
    watched.wait_for("it is found", 5, state="Running")


def check_collisions_are_told(stage):
    port = harness.free_port()
    watched = Watched(stage, more={"metrics": {"listen": f"127.0.0.1:{port}"}})
    watched.wait_for("the node runs", 5, state="Running")
    told = watched.edge.run("check").stderr
    harness.expect("metrics.listen: Tailscale runs in user space here" in told, told)
    told = watched.edge.run("doctor", check=False).stdout
    harness.expect("good: tailnet home.tn.test: Running" in told, told)
    harness.expect("metrics.listen: Tailscale runs in user space here" in told, told)


if __name__ == "__main__":
    harness.main(globals())
