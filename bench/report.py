"""docs/benchmarks.md and its plots from the results of one run of bench.py."""

import math

NAMES = {"sidestream": "sidestream", "bbr": "Linux TCP, BBR", "cubic": "Linux TCP, CUBIC",
         "wireguard-go": "wireguard-go, BBR", "haproxy": "HAProxy alone"}
COLOURS = {"sidestream": "#0072b2", "bbr": "#d55e00", "cubic": "#999999",
           "wireguard-go": "#009e73"}
WIDTH, HEIGHT, MARGIN, LEGEND = 560, 300, 50, 140


def percent(loss):
    return f"{loss * 100:g} %"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def upload_table(rows):
    ways = [way for way in NAMES if way in rows[0]]
    return table(["Mbit/s", "round trip", "loss", *(NAMES[way] for way in ways), "of BBR"],
                 [[f"{row['rate']:g}", f"{row['round_trip']:g} ms", percent(row["loss"]),
                   *(f"{row[way]:.1f}" for way in ways),
                   f"{100 * row['sidestream'] / row['bbr']:.0f} %" if "bbr" in row else "-"]
                  for row in rows])


def loss_plot(rows):
    """Goodput over loss, a line for each way, as SVG."""
    ways = [way for way in NAMES if way in rows[0]]
    top = max(row["rate"] for row in rows)
    width, height = WIDTH - 2 * MARGIN - LEGEND, HEIGHT - 2 * MARGIN

    def at(index, value):
        return (MARGIN + width * index / max(len(rows) - 1, 1),
                MARGIN + height * (1 - min(value / top, 1)))

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
             f'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{MARGIN}" y="25" font-size="14">Goodput of one upload, {top:g} Mbit/s, '
             f'{rows[0]["round_trip"]:g} ms round trip</text>']
    step = 10 ** math.floor(math.log10(top))
    mark = 0.0
    while mark <= top:
        _, y = at(0, mark)
        parts.append(f'<line x1="{MARGIN}" y1="{y:.1f}" x2="{MARGIN + width}" y2="{y:.1f}" '
                     f'stroke="#dddddd"/><text x="{MARGIN - 6}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{mark:g}</text>')
        mark += step
    for index, row in enumerate(rows):
        x, _ = at(index, 0)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">'
                     f'{percent(row["loss"])}</text>')
    parts.append(f'<text x="{MARGIN + width / 2:.1f}" y="{HEIGHT - 12}" '
                 f'text-anchor="middle">random loss, each way</text>')
    for place, way in enumerate(ways):
        points = [at(index, row[way]) for index, row in enumerate(rows)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        y = MARGIN + 10 + 20 * place
        x = WIDTH - LEGEND - MARGIN + 20
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[way]}" '
                     f'stroke-width="2.5"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{COLOURS[way]}"/>'
                  for a, b in points]
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 22}" y2="{y}" stroke="{COLOURS[way]}" '
                     f'stroke-width="2.5"/><text x="{x + 28}" y="{y + 4}">{NAMES[way]}</text>')
    return "\n".join([*parts, "</svg>", ""])


def memory_table(found):
    return table(["", "no stream", f"{found['streams']} idle streams", "per stream"],
                 [[name, f"{found['before'][name] / 2**20:.1f} MiB",
                   f"{found['after'][name] / 2**20:.1f} MiB",
                   f"{(found['after'][name] - found['before'][name]) / found['streams'] / 1024:.1f}"
                   " KiB"] for name in found["before"]])


def sections(results):
    """Each as title, text; in the order of the report."""
    if "uploads" in results:
        yield ("One upload", "From a home to a client at the VPS, ten seconds, start included, in "
               "Mbit/s. The queue before the line holds one bandwidth-delay product; the loss is "
               "random and the same each way.\n\n![](benchmarks-loss.svg)\n\n"
               + upload_table(results["uploads"]))
    if "grid" in results:
        yield "Other lines", upload_table(results["grid"])
    if "interactive" in results:
        yield ("Beside an upload", "Round trips of small questions on 50 Mbit/s and 40 ms: median "
               "and 95th percentile in ms.\n\n" + table(
                   ["", "alone", "p95", "beside an upload", "p95", "the upload, Mbit/s"],
                   [[NAMES[row["way"]], *row["alone"], *row["beside"], row["bulk"]]
                    for row in results["interactive"]]))
    if "fairness" in results:
        yield ("Four uploads at once", table(
            ["", "Jain's index", "sum, Mbit/s"],
            [[NAMES[row["way"]], row["jain"], row["sum"]] for row in results["fairness"]]))
    if "speed" in results:
        best = {row["way"]: max(row["rates"]) for row in results["speed"]}
        yield ("Nothing in the way", "One stream between two namespaces, best of three, with the "
               "client, both ends of the tunnel and the server on the same cores.\n\n" + table(
                   ["", "Mbit/s", "sidestream is"],
                   [[NAMES[way], rate, f"{best['sidestream'] / rate:.2f} times"]
                    for way, rate in best.items()]))
    if "streams" in results:
        yield ("Short streams", "Connect, one byte there and back, end; 64 at once, the clients and "
               "the backend on the same cores. HAProxy has one thread and no tunnel behind it.\n\n"
               + table(["", "streams a second", "failed"],
                       [[NAMES[row["way"]], row["rate"], row["failed"]]
                        for row in results["streams"]]))
    if "memory" in results:
        yield "Memory", "Resident.\n\n" + memory_table(results["memory"])
    if "sealing" in results:
        yield "Sealing alone", "```\n" + "\n".join(results["sealing"]) + "\n```\n"


def write(results, folder):
    machine = results["machine"]
    text = ["# Benchmarks\n", "Written by `dev/bench`, all of it in one run: "
            f"{results['date']}, {machine['version']}, {machine['processor']}, {machine['cores']} "
            f"cores, Linux {machine['kernel']}. What counts is the ratio between the columns: "
            "every number was measured beside the others on the same machine. The lines are made "
            "by `bench/wan_line_io.cpp`; peers are named with their congestion control.\n"]
    for title, body in sections(results):
        text.append(f"## {title}\n\n{body}")
    (folder / "benchmarks.md").write_text("\n".join(text))
    if "uploads" in results:
        (folder / "benchmarks-loss.svg").write_text(loss_plot(results["uploads"]))
