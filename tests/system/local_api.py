"""A Tailscale daemon's LocalAPI at a Unix socket, with recorded answers (tests/vectors/tailscale),
which can be stopped, started again and be made ill.

    daemon = LocalApi(stage.folder / "tailscaled.sock").start()
    daemon.answers["status?peers=false"] = (200, text)
    daemon.say({"State": 2})
"""

import http.server
import json
import os
import pathlib
import queue
import socketserver
import threading

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "tailscale"
BASE = "/localapi/v0/"


def recorded(name):
    return (VECTORS / name).read_text(encoding="utf-8")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


class LocalApi:
    def __init__(self, path):
        self.path = str(path)
        self.answers = {"status?peers=false": (200, recorded("status-running-1.102.3.json")),
                        "prefs": (200, recorded("prefs-1.102.3.json")),
                        "serve-config": (200, "null\n")}
        self.requests = []
        self.forbidden = []  # what a real daemon would have answered with 403
        self.listeners = []
        self.server = None

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        daemon = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                daemon.answer(self)

            do_POST = do_GET

        self.server = Server(self.path, Handler)
        os.chmod(self.path, 0o666)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """As the real one: the socket's file stays until the next start."""
        self.server.shutdown()
        self.server.server_close()
        for lines in self.listeners:
            lines.put(None)
        self.listeners = []

    def say(self, message):
        for lines in list(self.listeners):
            lines.put((json.dumps(message) + "\n").encode())

    def answer(self, request):
        self.requests.append(request.path)
        fields = request.headers
        if fields["Host"] != "local-tailscaled.sock" or fields["Origin"] or fields["Referer"]:
            self.forbidden.append(request.path)
            return self.write(request, 403, "invalid localapi request")
        target = request.path.removeprefix(BASE)
        if target.startswith("watch-ipn-bus") and self.answers.get("bus") is None:
            return self.serve_bus(request)
        return self.write(request, *self.answers.get(target, (404, "404 not found\n")))

    @staticmethod
    def write(request, status, text):
        body = text.encode()
        request.send_response(status)
        request.send_header("Tailscale-Version", "1.102.3")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def serve_bus(self, request):
        lines = queue.Queue()
        self.listeners.append(lines)
        request.send_response(200)
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(recorded("bus-1.102.3.txt").encode())
        request.close_connection = True
        while (line := lines.get()) is not None:
            request.wfile.write(line)
