#!/usr/bin/env python3
"""Makes the kernel and the initramfs of the guest that real-peer tests boot in qemu.

The kernel is Debian's own for cloud machines, fetched with apt and never installed on the host; the
initramfs holds busybox, wg and tc, the modules that the tests load, and the init script beside this
file. Both are kept in ~/.cache/sidestream/kernel_guest (or $SIDESTREAM_CACHE) and made again when
the init script, this file or the kernel's version change.
"""

import fcntl
import gzip
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KERNEL_METAPACKAGE = "linux-image-cloud-amd64"
PROGRAMS = ["wg", "tc", "nft"]
# Loaded at boot in the order in which their dependencies allow.
BOOT_MODULES = ["virtio_pci", "virtio_net", "virtio_console", "wireguard",
                "nf_tables", "tcp_bbr"]
# Loaded by `modprobe` in a test's own script.
MORE_MODULES = ["sch_netem", "sch_tbf", "sch_fq", "sch_ingress", "ifb", "act_mirred",
                "cls_matchall", "tun", "veth"]


class ImageError(Exception):
    pass


def cache_folder():
    root = os.environ.get("SIDESTREAM_CACHE")
    folder = pathlib.Path(root) if root else pathlib.Path.home() / ".cache" / "sidestream"
    folder = folder / "kernel_guest"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(*command, **options):
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **options).stdout
    except FileNotFoundError as error:
        raise ImageError(f"{command[0]}: not found; dev/setup installs it") from error
    except subprocess.CalledProcessError as error:
        text = error.stderr.decode(errors="replace").strip()
        raise ImageError(f"{' '.join(command)}: {text}") from error


def kernel_package():
    """The package that the metapackage stands for today: linux-image-6.1.0-56-cloud-amd64."""
    for attempt in range(2):
        known = subprocess.run(["apt-cache", "depends", KERNEL_METAPACKAGE], check=False, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = re.search(r"Depends: (linux-image-\S+)", known.stdout)
        if found:
            return found.group(1)
        if attempt == 0 and os.geteuid() == 0:
            run("apt-get", "update")  # a fresh machine has no package lists
    raise ImageError(f"apt knows no {KERNEL_METAPACKAGE}; run apt-get update as root")


def fetched_package(name, folder):
    """The path of a package's file, downloaded when it is not there yet."""
    there = sorted(folder.glob(f"{name}_*.deb"))
    if there:
        return there[-1]
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        run("apt-get", "download", name, cwd=fresh)
        (package,) = pathlib.Path(fresh).glob("*.deb")
        return package.rename(folder / package.name)


def package_files(package, wanted):
    """{path: bytes} of a package's files whose path `wanted` accepts."""
    archive = run("dpkg-deb", "--fsys-tarfile", str(package))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name.removeprefix("./"): tar.extractfile(entry).read()
                for entry in tar if entry.isfile() and wanted(entry.name)}


def module_name(path):
    return pathlib.Path(path).stem.replace("-", "_")


def module_dependencies(module):
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    text = found.group(1).decode() if found else ""
    return [name.replace("-", "_") for name in text.split(",") if name]


def load_order(names, modules):
    """The names and all they depend on, dependencies first. What is built in is left out."""
    order = []

    def visit(name):
        if name in order or name not in modules:
            return
        for dependency in module_dependencies(modules[name]):
            visit(dependency)
        order.append(name)

    for name in names:
        if name not in modules:
            raise ImageError(f"the kernel package has no module {name}")
        visit(name)
    return order


def shared_libraries(program):
    text = run("ldd", program).decode()
    return sorted({path for path in re.findall(r"(/\S+) \(0x", text)})


class Initramfs:
    """A cpio archive in the `newc` form, as the kernel reads it."""

    def __init__(self):
        self.bytes_ = bytearray()
        self.folders_ = set()
        self.inode_ = 0

    def entry(self, path, mode, content=b""):
        self.inode_ += 1
        name = path.encode() + b"\0"
        fields = [self.inode_, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
        self.bytes_ += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        self.pad()
        self.bytes_ += content
        self.pad()

    def pad(self):
        self.bytes_ += b"\0" * (-len(self.bytes_) % 4)

    def folder(self, path):
        if path in self.folders_ or path in ("", "."):
            return
        self.folder(os.path.dirname(path))
        self.folders_.add(path)
        self.entry(path, 0o040755)

    def file(self, path, content, mode=0o644):
        self.folder(os.path.dirname(path))
        self.entry(path, 0o100000 | mode, content)

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self.entry(path, 0o120777, target.encode())

    def finish(self):
        self.entry("TRAILER!!!", 0)
        return gzip.compress(bytes(self.bytes_), 1, mtime=0)


def make_initramfs(busybox, modules):
    image = Initramfs()
    for folder in ("proc", "sys", "dev", "tmp", "etc", "run", "sbin", "usr/bin", "usr/sbin"):
        image.folder(folder)
    image.file("init", (HERE / "init").read_bytes(), 0o755)
    image.file("bin/busybox", busybox, 0o755)
    image.link("bin/sh", "busybox")
    libraries = set()
    for name in PROGRAMS:
        program = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not program:
            raise ImageError(f"{name}: not found on this machine; dev/setup installs it")
        libraries.update(shared_libraries(program))
        image.file(f"programs/{name}", pathlib.Path(program).read_bytes(), 0o755)
    for library in sorted(libraries):
        image.file(library.lstrip("/"), pathlib.Path(library).read_bytes(), 0o755)
    for name in load_order(BOOT_MODULES + MORE_MODULES, modules):
        image.file(f"modules/{name}.ko", modules[name])
    image.file("modules/boot", "\n".join(load_order(BOOT_MODULES, modules)).encode())
    for name in MORE_MODULES:
        order = load_order([name], modules)
        image.file(f"modules/{name}.order", "\n".join(order).encode())
    return image.finish()


def with_program(initramfs, program):
    """An initramfs with one more program, as the bytes of a file: archives follow each other."""
    image = Initramfs()
    for library in shared_libraries(program):
        image.file(library.lstrip("/"), pathlib.Path(library).read_bytes(), 0o755)
    with tempfile.NamedTemporaryFile() as stripped:
        run("strip", "-o", stripped.name, str(program))
        image.file(f"programs/{pathlib.Path(program).name}", stripped.read(), 0o755)
    return pathlib.Path(initramfs).read_bytes() + image.finish()


def image_paths():
    """Makes what is missing. Returns (kernel, initramfs, kernel package)."""
    folder = cache_folder()
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        package = kernel_package()
        sources = (HERE / "init").read_bytes() + pathlib.Path(__file__).read_bytes()
        stamp = hashlib.sha256(package.encode() + sources).hexdigest()[:16]
        kernel = folder / f"vmlinuz-{stamp}"
        initramfs = folder / f"initramfs-{stamp}.gz"
        if not (kernel.exists() and initramfs.exists()):
            write_image(folder, package, kernel, initramfs)
        return kernel, initramfs, package


def write_image(folder, package, kernel, initramfs):
    linux = package_files(fetched_package(package, folder),
                          lambda path: path.endswith(".ko") or "/boot/vmlinuz-" in path)
    modules = {module_name(path): content
               for path, content in linux.items() if path.endswith(".ko")}
    (vmlinuz,) = [content for path, content in linux.items() if not path.endswith(".ko")]
    (busybox,) = package_files(fetched_package("busybox-static", folder),
                               lambda path: path.endswith("bin/busybox")).values()
    for path, content in ((initramfs, make_initramfs(busybox, modules)), (kernel, vmlinuz)):
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)


if __name__ == "__main__":
    try:
        for part in image_paths():
            print(part)
    except ImageError as problem:
        sys.exit(f"guest_image: {problem}")
