"""The program for 64-bit ARM, made by a cross-compiler and run by an emulator."""

import os
import time

from debian import harness

IMAGE_BYTES_MAX = 15_000_000
EMULATED = """#!/bin/sh
exec {qemu} -L {root} {program} "$@"
"""


def check_it_is_built_and_runs(stage):
    began = time.monotonic()
    for command in (["dev/setup", "--cross", "arm64"], ["dev/cross-root", "arm64"],
                    ["dev/build", "arm64", "sidestream"]):
        harness.run([harness.ROOT / command[0], *command[1:]], seconds=3000)
    print(f"  built in {time.monotonic() - began:.0f} s")
    program = harness.ROOT / "build/arm64/cli/sidestream"

    image = stage.folder / "image"
    harness.run([harness.ROOT / "dev/image-root", program, image], seconds=60)
    size = sum(path.stat().st_size for path in image.rglob("*") if path.is_file())
    print(f"  its image has {size / 1e6:.1f} MB")
    harness.expect(size <= IMAGE_BYTES_MAX, f"{size} bytes")

    # With nothing but what is in the image.
    emulated = stage.write("sidestream", EMULATED.format(
        qemu=harness.tool("qemu-aarch64-static"), root=image,
        program=image / "usr/bin/sidestream"), mode=0o755)
    stage.folder.chmod(0o755)
    said = harness.run([emulated, "version"]).stdout
    harness.expect(said.startswith("sidestream "), said)
    edge = stage.write("edge.yaml", "endpoint: 127.0.0.1:1\npublic: {ports: [2222]}\n")
    harness.run([emulated, "check", "--config", edge])
    harness.expect("public_key" in harness.run([emulated, "keygen"]).stdout, "no key")
    done = harness.run([harness.ROOT / "dev/demo", "--once"], seconds=120,
                       env={**os.environ, "SIDESTREAM_PROGRAM": str(emulated)})
    harness.expect(done.stdout.rstrip().endswith("== Every step worked"), done.stdout)
    print("  version, check, keygen and the whole of dev/demo")


if __name__ == "__main__":
    harness.main(globals())
