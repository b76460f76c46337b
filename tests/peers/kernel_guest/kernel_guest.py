"""Debian's kernel in qemu, as a WireGuard and TCP peer. Needs neither root nor KVM.

The guest has one network card on qemu's user-mode network. From inside, 10.0.2.2 is the loopback
of the host (or of the namespace that qemu runs in): the guest's own initiations go there. From
outside, UDP to 127.0.0.1:wireguard_port reaches the guest's port 51820.

    guest = KernelGuest(stage)
    print(guest.run("uname -r"))
"""

import base64
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]

import guest_image  # noqa: E402
import harness  # noqa: E402

HOST = "10.0.2.2"
ADDRESS = "10.0.2.15"
WIREGUARD_PORT = 51820
BOOT_SECONDS_MAX = 60


class KernelGuest:
    """A booted guest; the stage ends it. `enter` stands before qemu's command (a namespace).
    `program` is one more program for it, `ports` are TCP ports of it that can be reached at
    127.0.0.1:ports[port], `memory` are MiB."""

    def __init__(self, stage, name="guest", enter=(), program=None, ports=(), memory=256):
        began = time.monotonic()
        self.wireguard_port = harness.free_port()
        self.sequence_ = 0
        kernel, initramfs, _ = guest_image.image_paths()
        if program:
            content = guest_image.with_program(initramfs, program)
            initramfs = stage.folder / f"{name}.initramfs"
            initramfs.write_bytes(content)
        self.ports = {port: harness.free_port() for port in ports}
        agent_path = stage.folder / f"{name}.agent"
        forward = f"hostfwd=udp:127.0.0.1:{self.wireguard_port}-{ADDRESS}:{WIREGUARD_PORT}"
        for port, ours in self.ports.items():
            forward += f",hostfwd=tcp:127.0.0.1:{ours}-{ADDRESS}:{port}"
        self.program = stage.start(name, [
            *enter, harness.tool("qemu-system-x86_64"),
            "-accel", "tcg", "-cpu", "max", "-m", memory, "-smp", "1",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-kernel", kernel, "-initrd", initramfs,
            # On a busy host the emulated timer misses the kernel's test of it.
            "-append", "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on "
                       "no_timer_check",
            "-netdev", f"user,id=net,{forward}", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={agent_path},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=agent"])
        self.agent_ = self.connect_agent(agent_path)
        self.answers_ = self.agent_.makefile("rb")
        self.kernel_version = self.answer("ready", BOOT_SECONDS_MAX)[1].strip()
        self.boot_seconds = time.monotonic() - began

    def connect_agent(self, path):
        def connected():
            harness.expect(self.program.running(), f"qemu ended\n{self.program.tail()}")
            agent = socket.socket(socket.AF_UNIX)
            try:
                agent.connect(str(path))
                return agent
            except OSError:
                agent.close()
                return None
        return harness.eventually(connected, 20, "qemu opens the agent's socket")

    def answer(self, sequence, seconds):
        self.agent_.settimeout(seconds)
        try:
            line = self.answers_.readline().split()
        except TimeoutError:
            raise harness.Failure(f"no answer from the guest within {seconds} s") from None
        harness.expect(line and line[0].decode() == str(sequence), f"the guest said {line!r}")
        output = base64.b64decode(line[2]) if len(line) > 2 else b""
        return int(line[1]), output.decode(errors="replace")

    def try_run(self, script, seconds=30):
        """Runs a script of busybox's shell as root in the guest: (exit code, output).

        What the script leaves running in the background must have its output redirected.
        """
        self.sequence_ += 1
        text = base64.b64encode(script.encode()).decode()
        self.agent_.sendall(f"{self.sequence_} {seconds} {text}\n".encode())
        return self.answer(self.sequence_, seconds + 10)

    def run(self, script, seconds=30):
        """As try_run, but a script that fails is a failure. Returns the output."""
        code, output = self.try_run(script, seconds)
        harness.expect(code == 0, f"exit code {code} in the guest of:\n{script}\n{output}")
        return output

    def start_wireguard(self, private_key, address, peers, mtu=1420):
        """Brings up wg0 with the text of its [Peer] sections."""
        settings = (f"[Interface]\nPrivateKey = {private_key}\nListenPort = {WIREGUARD_PORT}\n"
                    + "".join(peers))
        self.run(f"""
            cat >/tmp/wg0.conf <<'SETTINGS'
{settings}
SETTINGS
            ip link add wg0 type wireguard && wg setconf wg0 /tmp/wg0.conf &&
            ip address add {address} dev wg0 && ip link set wg0 mtu {mtu} up""")

    def serve(self, port, command):
        """Runs a command for each connection to wg0's port, with the connection as its input and
        output."""
        self.run(f"nc -ll -p {port} -e sh -c '{command}' >/dev/null 2>&1 &\n"
                 f"until netstat -ltn | grep -q :{port}; do sleep 0.1; done")
