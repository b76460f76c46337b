"""Debian systems of a test's own, made by debootstrap from this machine's package source. Needs root."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import harness  # pylint: disable=wrong-import-position

BOOTSTRAP = """
mount -t tmpfs tmpfs "$0"
debootstrap --variant=minbase --include="$1" "$2" "$0" "$3"
rm -rf "$0"/var/lib/apt/lists/* "$0"/var/cache/apt/archives/*.deb
tar -C "$0" -cf "$4" .
"""
# A container as systemd wants it: a process tree, a network and control groups of its own.
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs {root}
tar -C {root} -xf {archive}
mount -t proc proc {root}/proc
mount -t sysfs sysfs {root}/sys
mount -t tmpfs tmpfs {root}/run
mount -t tmpfs tmpfs {root}/dev
for device in null zero full random urandom tty; do
  touch {root}/dev/$device
  mount --bind /dev/$device {root}/dev/$device
done
mkdir {root}/dev/shm {root}/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts {root}/dev/pts
ln -s pts/ptmx {root}/dev/ptmx
> {root}/dev/console
mount -t tmpfs tmpfs {root}/sys/fs/cgroup
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 {root}/sys/fs/cgroup
else
  mkdir {root}/sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup {root}/sys/fs/cgroup/systemd
fi
ip link set lo up
cd {root}
mkdir old
pivot_root . old
exec env -i container=test PATH=/usr/sbin:/usr/bin \\
  sh -ec "umount -l /old; rmdir /old; mount --make-rshared /; exec /lib/systemd/systemd"
"""


def make_archive(stage, name, packages):
    """A tar of a system with these packages in it. SIDESTREAM_BASES names a folder in which such are
    kept, for those who run these tests again and again."""
    kept = os.environ.get("SIDESTREAM_BASES")
    archive = pathlib.Path(kept or stage.folder) / f"{name}.tar"
    if archive.exists():
        return archive
    release = dict(line.split("=", 1) for line in
                   pathlib.Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
                   if "=" in line)
    suite = release["VERSION_CODENAME"].strip('"')
    source = harness.run(["apt-get", "indextargets", "--format", "$(SITE)",
                          f"Codename: {suite}", "Created-By: Packages"]).stdout.split()
    harness.expect(source, "apt knows no package source of this release")
    root = stage.folder / name
    root.mkdir()
    # In memory, and gone with the shell: a package manager waits for the disk all the time.
    harness.run([harness.tool("unshare"), "--mount", "sh", "-ec", BOOTSTRAP, root,
                 ",".join(packages), suite, source[0], archive],
                seconds=900, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    return archive


class Machine:
    """One that has booted, with systemd as its first process."""

    def __init__(self, stage, archive):
        harness.expect(os.geteuid() == 0, "a machine of one's own needs root")
        self.root = stage.folder / "machine"
        self.root.mkdir()
        self.program = stage.start("machine", [
            harness.tool("unshare"), "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup",
            "--fork", "--kill-child=SIGKILL", "sh", "-ec",
            BOOT.format(root=self.root, archive=archive)])
        harness.eventually(self.has_booted_, 60, "systemd has booted")

    def first_process_(self):
        listed = harness.run(["pgrep", "-P", str(self.program.pid)], check=False).stdout.split()
        return listed[0] if listed else None

    def has_booted_(self):
        harness.expect(self.program.running(), f"the machine is off\n{self.program.tail()}")
        if not self.first_process_():
            return False
        # `degraded` is what a container is that has no console.
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in (
            "running", "degraded")

    def run(self, *words, **options):
        return harness.run([harness.tool("nsenter"), "--all", "--root", "--wd=/", "--target",
                            self.first_process_(), *words], **options)

    def in_its_network(self, *words):
        """A command of this machine's that meets the other one's loopback."""
        return [harness.tool("nsenter"), "--net", "--target", self.first_process_(), *words]

    def write(self, path, text, mode=0o644):
        """As root's file there."""
        self.run("sh", "-ec", f"umask 077; mkdir -p $(dirname {path}); cat > {path}; "
                 f"chmod {mode:o} {path}", input=text)

    def property(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()
