"""A name server that a test can break: `dns_stub.py ADDRESS PORT FILE`. FILE holds what it does
now, read anew for each question: `silent`, `nxdomain`, `servfail`, or the addresses that every name
has; on further lines `caa VALUE`, which says who may give certificates for every name, and
`txt VALUE`, which every name has too."""

import ipaddress
import pathlib
import socket
import struct
import sys

TXT, CAA = 16, 257
TYPES = {1: 4, 28: 6}  # A and AAAA, and the version of their addresses
RCODES = {"servfail": 2, "nxdomain": 3}
ANSWER_TTL = 1


def question_end(query):
    at = 12
    while query[at]:
        at += 1 + query[at]
    return at + 5


def answer(query, behaviour):
    """The response to a query with one question; None for silence."""
    if behaviour == "silent":
        return None
    behaviour, *more = behaviour.splitlines() or [""]
    end = question_end(query)
    question = query[12:end]
    code = RCODES.get(behaviour, 0)
    records = b""
    wanted = struct.unpack(">H", question[-4:-2])[0]
    addresses = [] if code else [address for address in map(ipaddress.ip_address, behaviour.split())
                                 if address.version == TYPES.get(wanted)]
    for address in addresses:
        records += b"\xc0\x0c" + struct.pack(">HHIH", wanted, 1, ANSWER_TTL, len(address.packed))
        records += address.packed
    texts = [line[4:].encode() for line in more if line.startswith("txt ") and wanted == TXT]
    for text in texts:
        content = bytes([len(text)]) + text
        records += b"\xc0\x0c" + struct.pack(">HHIH", TXT, 1, ANSWER_TTL, len(content)) + content
    issues = [line[4:].encode() for line in more if line.startswith("caa ") and wanted == CAA]
    for issue in issues:
        content = b"\0\5issue" + issue
        records += b"\xc0\x0c" + struct.pack(">HHIH", CAA, 1, ANSWER_TTL, len(content)) + content
    flags = 0x8180 | code
    counts = struct.pack(">HHHHH", flags, 1, len(addresses) + len(issues) + len(texts), 0,
                         0)
    return query[:2] + counts + question + records


def main():
    address, port, file = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, port))
        print("ready", flush=True)
        while True:
            query, client = server.recvfrom(512)
            reply = answer(query, file.read_text().strip())
            if reply:
                server.sendto(reply, client)


if __name__ == "__main__":
    main()
