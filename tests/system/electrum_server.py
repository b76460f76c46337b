"""A small Electrum server: what a wallet asks before it calls itself connected, and balances.

    electrum_server.py ADDRESS PORT
"""

import json
import socket
import sys
import threading

# The first block of a test chain that everyone makes for himself (regtest).
GENESIS = ("01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
           "dae5494dffff7f2002000000")
ANSWERS = {
    "server.version": ["test server", "1.4"],
    "server.features": {"protocol_min": "1.4", "protocol_max": "1.4", "hosts": {},
                        "hash_function": "sha256"},
    "server.banner": "hello",
    "server.donation_address": "",
    "server.peers.subscribe": [],
    "server.ping": None,
    "blockchain.headers.subscribe": {"hex": GENESIS, "height": 0},
    "blockchain.block.header": GENESIS,
    "blockchain.relayfee": 0.00001,
    "blockchain.estimatefee": 0.00002,
    "mempool.get_fee_histogram": [],
    "blockchain.scripthash.subscribe": None,
    "blockchain.scripthash.get_history": [],
    "blockchain.scripthash.get_balance": {"confirmed": 150000000, "unconfirmed": 0},
}


class ElectrumServer:
    """Speaks without TLS, a thread for each wallet."""

    def __init__(self, address="127.0.0.1", port=0):
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    connection.sendall(json.dumps(self.answer(json.loads(line))).encode() + b"\n")
            except OSError:
                pass

    def answer(self, request):
        if isinstance(request, list):
            return [self.answer(one) for one in request]
        method = request["method"]
        self.asked.append(method)
        answer = {"jsonrpc": "2.0", "id": request.get("id")}
        if method in ANSWERS:
            return {**answer, "result": ANSWERS[method]}
        return {**answer, "error": {"code": -32601, "message": f"no method {method}"}}


if __name__ == "__main__":
    ElectrumServer(sys.argv[1], int(sys.argv[2])).thread.join()
