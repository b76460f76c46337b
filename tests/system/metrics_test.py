"""What edge and sidecar tell Prometheus, beside docs/metrics.md and the dashboard for Grafana."""

import contextlib
import json
import re
import socket
import time

import harness
import metrics_text
from named_backends import ask, named_backend
from product import Edge, Sidecar

DOCUMENT = harness.ROOT / "docs/metrics.md"
DASHBOARD = harness.ROOT / "compose/grafana/sidestream.json"
WORD = re.compile(r"\b(?:sidestream|process)_[a-z_]+[a-z]\b")
# Of a control group, which a test may not have.
MAY_HAVE_NO_SAMPLE = {"sidestream_memory_limit_bytes", "sidestream_memory_used_bytes",
                      "sidestream_certificate_expiry_timestamp_seconds",
                      "sidestream_certificate_problem",
                      "sidestream_tailnet_ready", "sidestream_tailnet_state",
                      "sidestream_tailnet_warnings", "sidestream_tailnet_path_direct",
                      "sidestream_tailnet_path_round_trip_seconds",
                      "sidestream_tailnet_key_expiry_timestamp_seconds"}
IDLE_ADDRESSES = 60
SCRAPE_SECONDS_MAX = 1


def documented():
    """{"edge": {metric: (type, labels)}, "sidecar": …} of the tables."""
    found = {"edge": {}, "sidecar": {}}
    roles = ()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            roles = {"Both programs": ("edge", "sidecar"), "The edge": ("edge",),
                     "The sidecar": ("sidecar",)}.get(line[3:], ())
        row = re.fullmatch(r"\| `(\w+)` \| (\w+) \| (.*?) \| .+ \|", line)
        for role in roles if row else ():
            harness.expect(row[1] not in found[role], f"{row[1]} is there twice")
            found[role][row[1]] = (row[2], re.findall(r"`(\w+)`", row[3]))
    return found


class Chain:
    """Client → edge → sidecar → backend, each program with metrics on the socket and on TCP."""

    def __init__(self, stage):
        self.port = harness.free_port()
        self.backend, _ = named_backend(b"here")
        self.places = {role: harness.free_port() for role in ("edge", "sidecar")}
        self.edge = Edge(stage, [self.port], more=self.metrics_of("edge"))
        self.sidecar = Sidecar(stage, [self.edge.invite("home", f":{self.port}")], {
            "one": {"publish": f":{self.port}", "backend": f"localhost:{self.backend.port}",
                    "limits": {"streams": 50, "per_client": 5}}}, more=self.metrics_of("sidecar"))
        self.sidecar.wait_until_published(f":{self.port}")
        self.roles = {"edge": self.edge, "sidecar": self.sidecar}

    def metrics_of(self, role):
        return {"metrics": {"listen": f"127.0.0.1:{self.places[role]}"}}

    def page(self, role):
        """Of the socket."""
        return harness.run(["curl", "-sf", "--unix-socket", self.roles[role].admin,
                            "http://admin/metrics"]).stdout

    def families(self, role):
        return metrics_text.parse(self.page(role))


def over_tcp(port, request, source="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", port), 5, (source, 0)) as client:
        client.sendall(request.encode())
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), body.decode()


def get(target, more=""):
    return f"GET {target} HTTP/1.1\r\nHost: vps.example.com:5152\r\n{more}\r\n"


def check_every_metric_is_documented_and_the_other_way_round(stage):
    chain = Chain(stage)
    ask(chain.port)
    harness.eventually(
        lambda: chain.families("edge")["sidestream_heartbeat_round_trip_seconds"].samples, 10,
        "a heartbeat's round trip is known on the edge")
    wanted = documented()
    for role in chain.roles:
        families = chain.families(role)
        missing = set(wanted[role]) ^ set(families)
        harness.expect(not missing, f"{role}: only documented, or only there: {sorted(missing)}")
        for name, (kind, labels) in wanted[role].items():
            harness.expect(families[name].type == kind, f"{name} is a {families[name].type}")
            harness.expect(families[name].samples or name in MAY_HAVE_NO_SAMPLE,
                           f"{role}: {name} has no sample")
            harness.expect(families[name].labels() in (labels, None),
                           f"{role}: {name} has the labels {families[name].labels()}")
    print(f"metrics: {len(wanted['edge'])} of an edge, {len(wanted['sidecar'])} of a sidecar, all "
          "documented and in the format")


def check_they_count_what_happens(stage):
    chain = Chain(stage)
    harness.expect(ask(chain.port) == b"here", "a stream")
    edge, sidecar = chain.families("edge"), chain.families("sidecar")
    one = {"sidecar": "home", "service": "one"}
    harness.expect(edge["sidestream_service_streams_total"].value(**one) == 1, "one stream")
    harness.expect(sidecar["sidestream_service_streams_total"].value(service="one") == 1, "one")
    with contextlib.ExitStack() as clients:
        live = [clients.enter_context(socket.create_connection(("127.0.0.1", chain.port), 5))
                for _ in range(7)]  # five are what the service allows a client
        refused = harness.eventually(
            lambda: chain.families("sidecar")["sidestream_service_streams_refused_total"].value(
                service="one", reason="too_many_of_client") == 2, 5, "two are refused")
        harness.expect(refused, "refused")
        live[0].sendall(b"x" * 1000)
        harness.expect(live[0].recv(10) == b"here", "it is served")
        # Bytes count while a stream lives.
        for role, labels in (("edge", one), ("sidecar", {"service": "one"})):
            for name, count in (("received", len(b"who is there?") + 1000), ("sent", 8)):
                harness.eventually(
                    lambda: chain.families(role)[f"sidestream_service_{name}_bytes_total"].value(
                        **labels) == count, 5, f"{count} bytes {name} on the {role}")
        edge, sidecar = chain.families("edge"), chain.families("sidecar")
        harness.expect(sidecar["sidestream_service_streams"].value(service="one") <= 5, "live")
        harness.expect(edge["sidestream_clients"].value() == 1, "one client")
    harness.expect(edge["sidestream_sidecar_present"].value(sidecar="home") == 1, "present")
    chain.backend.socket.shutdown(socket.SHUT_RDWR)
    harness.eventually(
        lambda: chain.families("sidecar")["sidestream_service_healthy"].value(service="one") == 0,
        15, "the backend is known to be away")
    endpoints = chain.families("sidecar")["sidestream_service_endpoints"]
    edge_name = f"127.0.0.1:{chain.edge.tunnel_port}"
    harness.expect(endpoints.value(service="one", edge=edge_name, state="withdrawn") == 1,
                   "withdrawn")
    for role, program in chain.roles.items():
        families = chain.families(role)
        now = families["process_start_time_seconds"].value()
        harness.expect(abs(now - time.time()) < 60, f"started at {now}")
        # One more or less: the connection that asks.
        harness.expect(abs(families["process_open_fds"].value() - program.descriptors()) <= 1,
                       "open descriptors")
        resident = families["process_resident_memory_bytes"].value()
        harness.expect(abs(resident / program.resident_bytes() - 1) < 0.1, "resident memory")
        lines = families["sidestream_log_lines_total"].value()
        harness.expect(lines == len(program.log_lines()), f"{lines} lines of the log")
    print("metrics: streams, bytes, refusals, health and the process are counted as they are")


def check_the_tcp_address_tells_metrics_and_nothing_else(stage):
    chain = Chain(stage)
    for role, port in chain.places.items():
        code, head, body = over_tcp(port, get("/metrics"))
        harness.expect(code == 200 and "\r\ncontent-type: text/plain; version=0.0.4" in head, head)
        harness.expect(f'role="{role}"' in body, "its own page")
        metrics_text.parse(body)
        for target in ("/v1/status", "/v1/health", "/v1/sidecars", "/", "/metrics/x"):
            harness.expect(over_tcp(port, get(target))[0] == 404, target)
        post = "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}"
        for target in ("/metrics", "/v1/sidecars", "/v1/revoke"):
            harness.expect(over_tcp(port, post.format(target))[0] == 413, f"POST {target}")
        harness.expect(over_tcp(port, "DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 405,
                       "DELETE")
        harness.expect(over_tcp(port, get("/metrics", "Origin: http://a\r\n"))[0] == 403,
                       "a web page")
    print("metrics: the TCP address answers GET /metrics; everything else is refused")


def check_idle_connections_keep_nobody_out(stage):
    chain = Chain(stage)
    port = chain.places["edge"]
    with contextlib.ExitStack() as idle:
        for number in range(IDLE_ADDRESSES):
            for word in (b"", b"GET /metrics", b"GET /", b"x"):
                one = idle.enter_context(socket.create_connection(
                    ("127.0.0.1", port), 5, (f"127.0.1.{number + 1}", 0)))
                with contextlib.suppress(OSError):
                    one.sendall(word)
        slowest = 0
        for _ in range(5):
            began = time.monotonic()
            harness.expect(over_tcp(port, get("/metrics"))[0] == 200, "it answers")
            slowest = max(slowest, time.monotonic() - began)
        harness.expect(slowest < SCRAPE_SECONDS_MAX, f"{slowest:.2f} s")
        harness.expect(chain.edge.descriptors() < 120, f"{chain.edge.descriptors()} descriptors")
        harness.expect(ask(chain.port) == b"here", "streams go on")
    print(f"metrics: beside {4 * IDLE_ADDRESSES} connections that say nothing or half a request, a "
          f"page takes {slowest * 1000:.0f} ms at most")


def expressions(node):
    """Every query of a dashboard, with the title of its panel."""
    if isinstance(node, dict):
        if "expr" in node:
            yield node["expr"]
        for value in node.values():
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def check_the_dashboard_asks_for_what_there_is(_stage):
    wanted = documented()
    metrics = {**wanted["edge"], **wanted["sidecar"]}
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    numbers = [panel["id"] for panel in dashboard["panels"]]
    harness.expect(len(set(numbers)) == len(numbers), "each panel has a number of its own")
    for panel in panels:
        harness.expect(panel["title"] and panel["targets"], f"panel {panel['id']}")
    queries = list(expressions(dashboard))
    harness.expect(len(queries) >= len(panels), "every panel has a query")
    for query in queries:
        names = WORD.findall(query)
        harness.expect(names, f"{query}: no metric of ours")
        for opened, closed in ("()", "{}", "[]"):
            harness.expect(query.count(opened) == query.count(closed), f"{query}: brackets")
        labels = {label for name in names for role in wanted.values()
                  for label in role.get(name, ("", []))[1]} | {"job", "instance"}
        for name in names:
            harness.expect(name in metrics, f"{query}: {name} is not documented")
            if metrics[name][0] == "counter":
                harness.expect(re.search(rf"(rate|increase)\({name}\b", query),
                               f"{query}: {name} counts up")
        used = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query)
        used += re.split(r",\s*", ", ".join(re.findall(r"\b(?:by|on|without) \(([^)]*)\)", query)))
        for label in filter(None, used):
            harness.expect(label in labels, f"{query}: no metric of it has the label {label}")
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in set(WORD.findall(text)):
        harness.expect(name in metrics, f"{name} in docs/metrics.md")
    print(f"metrics: {len(panels)} panels with {len(queries)} queries, of documented metrics only")


if __name__ == "__main__":
    harness.main(globals())
