"""WireGuard's keys and the text of its [Peer] sections, made with wg itself."""

import harness


def preshared_key():
    return harness.run(["wg", "genpsk"]).stdout.strip()


class Keys:
    """A private key with its public one."""

    def __init__(self):
        self.private = harness.run(["wg", "genkey"]).stdout.strip()
        self.public = harness.run(["wg", "pubkey"], input=self.private).stdout.strip()


def peer_section(public, allowed, endpoint=None, preshared=None, keepalive=0):
    lines = ["[Peer]", f"PublicKey = {public}", f"AllowedIPs = {allowed}"]
    if endpoint:
        lines.append(f"Endpoint = {endpoint}")
    if preshared:
        lines.append(f"PresharedKey = {preshared}")
    if keepalive:
        lines.append(f"PersistentKeepalive = {keepalive}")
    return "\n".join(lines) + "\n"
