"""Prometheus' text format 0.0.4, read as strictly as it can be meant."""

import math
import re

from harness import expect

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
_HELP = re.compile(rf"# HELP ({_NAME}) ((?:[^\\\n]|\\\\|\\n)+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL})(?:,(?:{_LABEL}))*)\}})? (\S+)")
_VALUE = re.compile(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN")
# Prometheus wants base units: seconds, bytes, ratios.
_NO_BASE_UNIT = re.compile(r"_(ms|us|millis\w*|micros\w*|nanos\w*|minutes|hours|days|[kmg]i?b|"
                           r"kilo\w*|mega\w*|bits|percent)(_|$)")


class Family:
    def __init__(self, name, help_text):
        self.name = name
        self.help = help_text
        self.type = None
        self.samples = {}  # by the sorted tuple of (label, value)

    def labels(self):
        """The names of the labels, in the order of the text; None without samples."""
        for labels in self.samples:
            return [name for name, _ in labels]
        return None

    def value(self, **labels):
        for key, value in self.samples.items():
            if dict(key) == labels:
                return value
        return None


def parse(text):
    """{name: Family} of a page; fails at the first thing that a strict reader could stumble over."""
    families = {}
    current = None
    expect(text.endswith("\n") and "\r" not in text, "every line ends with a line feed")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"line {number}: {line}"
        if match := _HELP.fullmatch(line):
            expect(match[1] not in families, f"{where}: a family comes once")
            expect(current is None or current.type, f"{where}: no TYPE before")
            current = families[match[1]] = Family(match[1], match[2])
        elif match := _TYPE.fullmatch(line):
            expect(current and current.name == match[1] and not current.type and
                   not current.samples, f"{where}: TYPE follows HELP")
            current.type = match[2]
        else:
            match = _SAMPLE.fullmatch(line)
            expect(match, f"{where}: neither HELP, TYPE nor a sample")
            expect(current and current.type and current.name == match[1],
                   f"{where}: a sample stands with its family")
            labels = tuple(re.findall(_LABEL, match[2] or ""))
            expect(len({name for name, _ in labels}) == len(labels), f"{where}: a label twice")
            expect(sorted(labels) not in [sorted(one) for one in current.samples],
                   f"{where}: the same sample twice")
            expect(_VALUE.fullmatch(match[match.lastindex]), f"{where}: no number")
            current.samples[labels] = float(match[match.lastindex])
    for family in families.values():
        check_conventions(family)
    return families


def check_conventions(family):
    name = family.name
    expect(re.fullmatch(r"(sidestream|process)(_[a-z]+)+", name), f"{name}: a prefix and words")
    expect(not _NO_BASE_UNIT.search(name), f"{name}: base units")
    expect((family.type == "counter") == name.endswith("_total"), f"{name}: _total is for counters")
    expect(re.fullmatch(r"[A-Z0-9].*\.", family.help), f"{name}: a sentence as help")
    label_sets = {tuple(label for label, _ in labels) for labels in family.samples}
    expect(len(label_sets) <= 1, f"{name}: all samples have the same labels: {label_sets}")
    for value in family.samples.values():
        expect(math.isfinite(value), f"{name}: {value}")
        expect(family.type == "gauge" or value >= 0, f"{name}: {value}")
