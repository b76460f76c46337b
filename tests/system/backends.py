"""Real backends for tests and the demo, on loopback, without root: OpenSSH and a TLS server."""

import getpass
import os
import pathlib

import harness


def password_locked(user):
    try:
        entries = pathlib.Path("/etc/shadow").read_text().splitlines()
    except PermissionError:
        return False  # sshd cannot see it either
    return any(entry.startswith(f"{user}:!") for entry in entries)


class OpenSshServer:
    """An sshd with throw-away keys; the one who started it may log in with `user_key`."""

    def __init__(self, stage, address="127.0.0.1", name="sshd"):
        folder = stage.folder / name
        folder.mkdir(mode=0o700)
        self.user = getpass.getuser()
        self.address = address
        self.port = harness.free_port(address)
        self.user_key = folder / "user_key"
        for key in ("host_key", "user_key"):
            harness.run([harness.tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", key,
                         "-f", folder / key])
        if os.geteuid() == 0:
            # Where the unprivileged half of sshd is locked in; a package's start script makes it.
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        # Without PAM sshd refuses accounts whose password is locked, as root's is on Ubuntu; with
        # PAM it must be root.
        pam = "yes" if password_locked(self.user) else "no"
        configuration = stage.write(f"{name}/sshd_config", "\n".join([
            f"ListenAddress {address}:{self.port}",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/user_key.pub",
            f"PidFile {folder}/pid",
            "AuthenticationMethods publickey",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            f"UsePAM {pam}",
            "StrictModes no",
            "MaxStartups 1000",
            "PerSourceMaxStartups none",
            "PrintMotd no",
            "Subsystem sftp internal-sftp",
        ]) + "\n")
        # sshd runs itself again for each connection, so it wants its absolute path.
        self.program = stage.start(name, [harness.tool("sshd"), "-D", "-e", "-f", configuration])
        self.program.wait_for_line("Server listening on")
        self.host_key = (folder / "host_key.pub").read_text().split()[1]
        self.folder = folder

    def options(self, host, port):
        """Options for ssh, scp and sftp that reach this server as HOST:PORT and nobody else."""
        known = self.folder / f"known_hosts_{port}"
        known.write_text(f"[{host}]:{port} ssh-ed25519 {self.host_key}\n")
        return ["-F", "none", "-i", str(self.user_key), "-o", "IdentitiesOnly=yes",
                "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
                "-o", "GlobalKnownHostsFile=none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
                "-o", "LogLevel=ERROR"]

    def ssh(self, host, port):
        """The command that logs in through HOST:PORT; words of a remote command may follow."""
        return ["ssh", *self.options(host, port), "-p", str(port), f"{self.user}@{host}"]


class TlsServer:
    """`openssl s_server` with a page over HTTP; `certificate` is what its clients should trust.
    `enter` stands before its command (a network namespace)."""

    def __init__(self, stage, server_name, address="127.0.0.1", name="tls", enter=()):
        folder = stage.folder / name
        folder.mkdir(mode=0o700)
        self.address = address
        self.port = harness.free_port(address)
        self.server_name = server_name
        self.certificate = folder / "certificate.pem"
        harness.run([harness.tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7",
                     "-subj", f"/CN={server_name}", "-addext", f"subjectAltName=DNS:{server_name}",
                     "-keyout", folder / "key.pem", "-out", self.certificate])
        accept = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.program = stage.start(name, [*enter, harness.tool("openssl"), "s_server",
                                          "-accept", accept, "-cert", self.certificate,
                                          "-key", folder / "key.pem", "-www"])
        self.program.wait_for_line("^ACCEPT")
