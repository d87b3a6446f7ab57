"""What a request costs beside many standing slices: `python -m bench.admission`; prints a table, writes JSON and a figure.

    python -m bench.admission                   10,000 slices on the reference backbone: a minute
    python -m bench.admission --most 40000      further
    python -m bench.admission --topology fat_tree --most 2000

At each size of the ledger three kinds of request are asked and not taken: one that fits; one that fits nowhere for its
bandwidth, and one for its latency, answered with their alternatives. Median and 99th percentile over --asked of each, in
CPU time of the process (one thread), so that what else the machine does is left out.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

from bench.machine import facts
from netarium.compile.admission import refusal_of
from netarium.compile.graph import Graph, build_graph
from netarium.compile.ledger import Request
from netarium.compile.placement import place
from netarium.compile.timetable import ALWAYS_PS, Timetable
from netarium.describe.network import Network

ROOT = Path(__file__).resolve().parents[1]
SHARE = 0.95
TARGET_S = 0.05
KINDS = ("accepted", "refused_bandwidth", "refused_latency")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.admission", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("--topology", default="reference_backbone")
    parser.add_argument("--most", type=int, default=10_000, help="standing slices at the end")
    parser.add_argument("--steps", type=int, default=10, help="sizes at which is measured")
    parser.add_argument("--asked", type=int, default=40, help="requests of each kind at each size")
    parser.add_argument("--json", type=Path, default=ROOT / "runs/admission.json")
    return parser.parse_args()


def request(draw: random.Random, graph: Graph, name: str, kind: str = "accepted") -> Request:
    """A slice between two nodes: small beside the links unless it is to be refused."""
    ends = [graph.node_names[i] for i in range(graph.node_count)]
    a, b = draw.sample(ends, 2)
    bandwidth = draw.randint(1, 8) * int(graph.rate_bps.min()) // 100_000
    latency = 500 * 10**9
    if kind == "refused_bandwidth":
        bandwidth = 2 * int(graph.rate_bps.max())
    if kind == "refused_latency":
        latency = 10**3
    return Request(name, a, b, bandwidth, latency=latency, burst=3000)


def timed(times: Timetable, asked: Request) -> float:
    """CPU seconds to decide on one request, its alternatives included when it is refused."""
    began = time.process_time()
    span = times.span(asked)
    if place(span, asked) is None:
        refusal_of(times, span, asked, SHARE, ALWAYS_PS)
    return time.process_time() - began


def measure(graph: Graph, sizes: list[int], asked: int) -> list[dict[str, Any]]:
    """One row a size."""
    draw = random.Random(1)
    times = Timetable.empty(graph, "delay", SHARE)
    rows, standing = [], 0
    for size in sizes:
        while standing < size:
            wanted = request(draw, graph, f"s{standing}")
            after = place(times.span(wanted), wanted)
            if after is not None:
                times.place(wanted, after)
            standing += 1
        row: dict[str, Any] = {"standing": len(times.ledgers[0].fits)}
        for kind in KINDS:
            seconds = sorted(timed(times, request(draw, graph, "asked", kind)) for _ in range(asked))
            row[kind] = {
                "median_s": statistics.median(seconds),
                "p99_s": seconds[int(0.99 * (len(seconds) - 1))],
            }
        rows.append(row)
        print(f"{row['standing']:>8,}" + "".join(
            f"  {row[kind]['median_s'] * 1e3:8.2f} {row[kind]['p99_s'] * 1e3:8.2f}" for kind in KINDS))  # fmt: skip
    return rows


def draw_figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Milliseconds a request against standing slices, with the target."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 3))
    standing = [row["standing"] for row in rows]
    for kind, style in zip(KINDS, ("-", "--", ":"), strict=True):
        axes.plot(
            standing, [row[kind]["median_s"] * 1e3 for row in rows], style, label=kind.replace("_", ": ")
        )
    axes.axhline(TARGET_S * 1e3, color="0.6", linewidth=1)
    axes.text(0, TARGET_S * 1e3, " target", va="bottom", color="0.4")
    axes.set(xlabel="standing slices", ylabel="a request, ms (median)", ylim=(0, None))
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    given = arguments()
    graph = build_graph(Network(topology={"kind": given.topology}))
    sizes = [given.most * (i + 1) // given.steps for i in range(given.steps)]
    print(
        "standing"
        + "".join(f"  {kind:>17}" for kind in KINDS)
        + "\n        "
        + "    median      p99" * 3
        + "  (ms)"
    )
    rows = measure(graph, sizes, given.asked)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    figure = given.json.with_suffix(".png")
    draw_figure(rows, figure)
    document = {"format": 1, "topology": given.topology, "ports": graph.port_count, "rows": rows, "target_s": TARGET_S,
                "machine": facts(ROOT)}  # fmt: skip
    given.json.write_text(json.dumps(document, indent=2))
    print(f"{given.json}\n{figure}")


if __name__ == "__main__":
    main()
