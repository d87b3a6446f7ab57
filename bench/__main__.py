"""Measure the engine on this machine: `python -m bench`, or `make bench`; prints a table and writes JSON.

    python -m bench                                  all rows, five rounds: some ten minutes
    python -m bench dumbbell-10 start --rounds 3     some rows
    python -m bench --ns3 PYTHON --nspy PYTHON       ratios to peers, each from a virtual environment of its own

Rows take turns in every round, so that what else the machine does hits all of them; the median over the rounds is shown, with
the least and the most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.workloads import BY_NAME, WORKLOADS, Workload

ROOT = Path(__file__).resolve().parents[1]
START = "start"
PEERS = {"ns3": ("ns3_dumbbell.py", 1.0), "nspy": ("nspy_dumbbell.py", 0.3)}
"""Peer -> its script and the virtual seconds it gets: their rates are steady, and a full run takes minutes."""
FULL_BYTES, FULL_FASTER = 72e12, 3.0
"""The transfer of data-express, and how many times faster than it its simulation is to be."""
GIGABYTE = 1e9
START_TARGETS_S = {"help": 0.2, "cold": 30.0, "warm": 1.2}
START_TITLES = {
    "help": "netarium --help", "cold": "first run ever: all kernels compiled", "warm": "tiny trial, later runs",
}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help=f"of {', '.join([*BY_NAME, START])}; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "runs/bench.json", help="where the JSON goes")
    parser.add_argument(
        "--ns3", default=os.environ.get("NETARIUM_NS3"), help="Python that has ns3 (NETARIUM_NS3)"
    )
    parser.add_argument(
        "--nspy", default=os.environ.get("NETARIUM_NSPY"), help="Python that has ns.py (NETARIUM_NSPY)"
    )
    given = parser.parse_args()
    unknown = [row for row in given.rows if row not in BY_NAME and row != START]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join([*BY_NAME, START])}")
    return given


def last_line(command: list[str]) -> dict[str, Any]:
    """Run a measuring process; its last line of output is its result. Raises CalledProcessError."""
    ran = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def one_round(workloads: list[Workload], peers: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Measure every workload once, and each peer right beside its own."""
    results = {}
    for workload in workloads:
        results[workload.name] = last_line([sys.executable, "-m", "bench.engine", workload.name])
        for peer, python in peers.items() if workload.peer_flows else ():
            script, seconds = PEERS[peer]
            words = ["--flows", str(workload.peer_flows), "--seconds", str(seconds)]
            results[f"{workload.name}/{peer}"] = last_line(
                [python, str(ROOT / "bench/peers" / script), *words]
            )
    return results


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def collected(rounds: list[dict[str, dict[str, Any]]], name: str, field: str) -> list[float]:
    """One field of one row, over the rounds."""
    return [results[name][field] for results in rounds]


def rated(workload: Workload, rounds: list[dict[str, dict[str, Any]]]) -> list[tuple[str, str, str, str]]:
    """(what, measured, to reach, reached?) of a workload: its rate, ratios, memory, and how it extrapolates."""
    rate = spread(collected(rounds, workload.name, "packet_hops_per_s"))
    memory = max(collected(rounds, workload.name, "peak_memory_bytes"))
    lines = []
    shown = f"{rate['median'] / 1e6:.2f} M hops/s ({rate['least'] / 1e6:.2f} to {rate['most'] / 1e6:.2f})"
    if workload.target_hops_per_s:
        target = workload.target_hops_per_s
        lines.append((workload.title, shown, f"{target / 1e6:.0f} M", _reached(rate["median"] >= target)))
    else:
        lines.extend(transfer(workload, rounds, shown))
    limit = "below 1.00 GB" if workload.name == "dumbbell-4096" else ""
    lines.append(
        ("  peak memory", f"{memory / 1e9:.2f} GB", limit, _reached(memory < GIGABYTE) if limit else "")
    )
    for peer in PEERS:
        name = f"{workload.name}/{peer}"
        if name in rounds[0]:
            ratios = spread(
                [r[workload.name]["packet_hops_per_s"] / r[name]["packet_hops_per_s"] for r in rounds]
            )
            text = f"{ratios['median']:.0f} times ({ratios['least']:.0f} to {ratios['most']:.0f})"
            limit = "100 times" if peer == "ns3" else ""
            verdict = _reached(ratios["median"] >= 100) if limit else ""
            lines.append((f"  faster than {peer}", text, limit, verdict))
    return lines


def transfer(
    workload: Workload, rounds: list[dict[str, dict[str, Any]]], shown: str
) -> list[tuple[str, str, str, str]]:
    """The whole transfer, extrapolated from a part of it in steady state."""
    faster = spread([r[workload.name]["virtual_s"] / r[workload.name]["cpu_s"] for r in rounds])
    goodput = statistics.median(collected(rounds, workload.name, "goodput_bps"))
    whole_s = FULL_BYTES * 8 / goodput
    growth = max(collected(rounds, workload.name, "memory_growth_bytes"))
    text = f"{faster['median']:.2f} times ({faster['least']:.2f} to {faster['most']:.2f})"
    return [
        (workload.title, shown, "", ""),
        ("  faster than the transfer", text, f"{FULL_FASTER:.0f} times", _reached(faster["median"] >= FULL_FASTER)),
        ("  whole, extrapolated", f"{whole_s:.0f} s simulated in {whole_s / faster['median']:.0f} s of CPU", "", ""),
        ("  memory growth, 2nd half", f"{growth / 1e6:.2f} MB", "below 1 MB", _reached(growth < 1e6)),
    ]  # fmt: skip


def starts(measured: dict[str, list[dict[str, float]]]) -> list[tuple[str, str, str, str]]:
    """Rows of the start times: wall seconds, which are judged, CPU seconds of all processes beside them."""
    lines = []
    for name, title in START_TITLES.items():
        cpu, wall = (spread([m[field] for m in measured[name]]) for field in ("cpu_s", "wall_s"))
        text = (
            f"{wall['median']:.2f} s ({wall['least']:.2f} to {wall['most']:.2f}), {cpu['median']:.2f} s CPU"
        )
        target = START_TARGETS_S[name]
        lines.append((title, text, f"{target:g} s", _reached(wall["median"] <= target)))
    return lines


def _reached(yes: bool) -> str:
    return "reached" if yes else "MISSED"


def table(lines: list[tuple[str, str, str, str]]) -> str:
    """Columns side by side."""
    lines = [("what", "median (least to most)", "to reach", ""), *lines]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> None:
    """Measure, print the table, write the JSON."""
    from bench import machine, startup

    given = arguments()
    chosen = [w for w in WORKLOADS if not given.rows or w.name in given.rows]
    peers = {peer: python for peer in PEERS if (python := getattr(given, peer))}
    with_start = not given.rows or START in given.rows
    facts, before = machine.facts(ROOT), machine.speed()
    for workload in chosen[:1]:
        last_line(
            [sys.executable, "-m", "bench.engine", workload.name]
        )  # compile the kernels before the first round
    rounds = []
    for number in range(given.rounds if chosen else 0):
        sys.stderr.write(f"round {number + 1} of {given.rounds}\n")
        rounds.append(one_round(chosen, peers))
    start = startup.measure(given.rounds) if with_start else {}
    after = machine.speed()
    lines = [line for workload in chosen for line in rated(workload, rounds)]
    lines += starts(start) if with_start else []
    document = {
        "format": 1, "machine": facts, "speed_before": before, "speed_after": after,
        "rounds": rounds, "start": start, "table": lines,
    }  # fmt: skip
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(document, indent=1) + "\n")
    sys.stdout.write(table(lines) + f"\n\nmachine now: {json.dumps(after)}\n{given.json}\n")


if __name__ == "__main__":
    main()
