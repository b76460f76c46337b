"""What Debian's scanners find at a service whose TLS ends at home."""

import json
import xml.etree.ElementTree

import harness
from tls_test import NAME, Home


def check_sslscan_finds_nothing_old_or_weak(stage):
    home = Home(stage)
    report = stage.folder / "sslscan.xml"
    harness.run([harness.tool("sslscan"), f"--xml={report}", "--no-colour", f"--sni-name={NAME}",
                 f"127.0.0.1:{home.port}"], seconds=120)
    found = xml.etree.ElementTree.parse(report).getroot().find("ssltest")
    enabled = {f"{one.get('type')} {one.get('version')}" for one in found.iter("protocol")
               if one.get("enabled") == "1"}
    harness.expect(enabled == {"tls 1.2", "tls 1.3"}, enabled)
    ciphers = [one.get("cipher") for one in found.iter("cipher")]
    harness.expect(ciphers, "no cipher was found")
    for name in ciphers:
        old = name.startswith("TLS_") or name.startswith("ECDHE-")
        good = ("GCM" in name or "CHACHA20" in name or "POLY1305" in name) and old
        harness.expect(good, f"weak: {name}")
    # Where the scanner's own library cannot compress it does not ask.
    harness.expect(all(one.get("supported") == "0" for one in found.iter("compression")),
                   "compression")
    renegotiation = found.find("renegotiation")
    harness.expect(renegotiation.get("supported") == "0" or renegotiation.get("secure") == "1",
                   "insecure renegotiation")
    harness.expect(all(one.get("vulnerable") == "0" for one in found.iter("heartbleed")),
                   "heartbleed")


def long_testssl_finds_nothing_worth_a_warning(stage):
    home = Home(stage)
    report = stage.folder / "testssl.json"
    # Protocols, ciphers, their order, forward secrecy, vulnerabilities. Of certificates it would
    # say, rightly, that this one signed itself.
    harness.run([harness.tool("testssl"), "--quiet", "--color", "0", "--warnings", "off",
                 "--ip", "127.0.0.1", "--jsonfile", report, "-p", "-s", "-f", "-P", "-U",
                 f"{NAME}:{home.port}"], seconds=600, check=False)
    findings = json.loads(report.read_text())
    harness.expect(len(findings) > 30, f"only {len(findings)} findings")
    # WARN is what the scanner could not try here.
    worse = [one for one in findings if one["severity"] in ("MEDIUM", "HIGH", "CRITICAL")]
    harness.expect(not worse, json.dumps(worse, indent=1))


if __name__ == "__main__":
    harness.main(globals())
