"""The HTML report of one run: a single file that needs nothing else, neither network nor scripts."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from netarium.show import deadlines, objectives, pages, projections, quantity
from netarium.show.pages import Cell, Grid, Picture, columns, marked
from netarium.show.record import Record
from netarium.show.tables import conservation_line, engine_line
from netarium.show.verdict import (
    expectation_level,
    expectation_value,
    judge,
    level_of,
    slice_reasons,
    slice_verdict,
)

SERVICES, PORTS, OBJECTIVES, REASONS = 500, 12, 600, 20  # most rows of a kind
FILES = 60
CHECKS, PROBLEMS = 8, 40  # lines under the verdict: of all, and if more than that went wrong
TITLES = {
    "topology": "topology map",
    "throughput": "goodput over time",
    "latency": "latency over time",
    "jitter": "latencies apart",
    "queue": "queues",
    "delay_cdf": "latency distribution",
    "deadlines": "deadlines",
    "slowdown": "flow-completion slowdown",
    "cwnd": "congestion windows",
    "slices": "promised and observed",
    "drops": "drops",
}


def write(record: Record, path: Path | None = None) -> Path:
    """Writes the report (default: report.html in the run folder), whole or not at all; returns its path."""
    target = record.folder / "report.html" if path is None else Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(html(record), encoding="utf-8")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def html(record: Record) -> str:
    """The report as text. Also of a refused, interrupted or unfinished run: with what there is."""
    pictures, absent = _pictures(record)
    map_ = next((picture for picture in pictures if picture.name == "topology"), None)
    typed, checks = record.typed, _checks(record)
    problems = sum(check["level"] != "good" for check in checks)
    shown = min(len(checks), max(CHECKS, min(problems, PROBLEMS)))
    values: dict[str, Any] = {
        "record": record,
        "verdict": judge(record),
        "started": str(record.start.get("started", "")).replace("T", " ").removesuffix("Z"),
        "checks": checks[:shown],
        "more_checks": len(checks) - shown,
        "services": _services(record),
        "deadlines": _deadlines(record),
        "description": str(record.expanded.get("description") or ""),
        "text": str(typed.get("text") or ""),
        "file": str(typed.get("file") or ""),
        "overrides": [str(entry) for entry in typed.get("overrides") or []],
        "map": map_,
        "figures": [picture for picture in pictures if picture is not map_],
        "absent": absent,
        "certificates": _certificates(record),
        "reasons": _reasons(record)[:REASONS],
        "projections": _projections(record),
        "explanation": projections.explanation(record),
        "ports": _ports(record),
        "conservation": conservation_line(record),
        "command": command(record),
        "again": f"netarium run {shlex.quote(str(record.folder / 'trial.yml'))} --seed {record.seed}",
        "identity": _identity(record),
        "files": _files(record)[:FILES],
        "machine": _machine(record),
        "version": str((record.start.get("versions") or {}).get("netarium", "")),
    }
    return pages.fill("report.html.j2", sections=_sections(values), **values)


def command(record: Record) -> str:
    """The command line that started the run, quoted for a shell; empty for a run started from Python."""
    argv = [str(word) for word in record.start.get("argv") or []]
    return shlex.join(["netarium", *argv[1:]]) if argv else ""


def _sections(values: dict[str, Any]) -> list[tuple[str, str]]:
    named = [("services", "Services"), ("asked", "What was asked"), ("figures", "What happened"),
             ("projections", "Projections"),
             ("certification", "Certification"), ("links", "Links"), ("assumptions", "Assumptions"),
             ("repeat", "How to repeat"), ("machine", "Machine")]  # fmt: skip
    present = {
        "services": values["services"],
        "figures": values["figures"],
        "certification": values["certificates"],
        "projections": values["projections"],
        "links": values["ports"],
        "assumptions": values["record"].assumptions,
    }
    return [(anchor, name) for anchor, name in named if present.get(anchor, True)]


def _pictures(record: Record) -> tuple[list[Picture], list[str]]:
    from netarium.show import plots

    drawings = plots.draw(record, width_in=plots.PAGE_IN)
    drawn = {drawing.name for drawing in drawings}
    return pages.pictures(drawings), [TITLES.get(name, name) for name in plots.FIGURES if name not in drawn]


def _checks(record: Record) -> list[dict[str, str]]:
    """Expectations, then slices that no expectation names; what failed comes first."""
    checks = [
        {
            "level": expectation_level(entry),
            "text": str(entry.get("text", "")),
            "value": " ".join(filter(None, [expectation_value(entry), _why(entry)])),
        }
        for entry in record.expectations
    ]
    named = {str(entry.get("text", "")) for entry in record.expectations}
    for name, certificate in record.slices.items():
        if f"slice {name} certified" not in named:
            verdict = slice_verdict(certificate)
            checks.append({"level": level_of(verdict), "text": f"slice {name}", "value": verdict})
    return sorted(checks, key=lambda check: ("bad", "unsure", "good").index(check["level"]))


def _why(expectation: dict[str, Any]) -> str:
    reason = str(expectation.get("reason") or "")
    return (
        f"({quantity.shorten(reason, 80)})"
        if reason and expectation_value(expectation) == quantity.MISSING
        else ""
    )


def _services(record: Record) -> Grid | None:
    if not record.services:
        return None
    every = list(record.services.values())
    ended, is_tcp = (
        any(entry.get("completed_flows") for entry in every),
        any(entry.get("rtt_s") for entry in every),
    )
    names = [
        "service",
        "kind",
        ">flows",
        ">goodput",
        ">latency p50",
        ">p99",
        ">p99.9",
        ">max",
        ">delay variation",
    ]
    is_shared = any((entry.get("flows") or 0) > 1 and entry.get("jain") is not None for entry in every)
    names += [">RTT p50"] * is_tcp + [">loss", ">retr."] + [">Jain"] * is_shared
    names += [">completed", ">completion p50", ">p99"] * ended
    grid = Grid(columns(*names), more=max(0, len(every) - SERVICES))
    for name, metrics in list(record.services.items())[:SERVICES]:
        latency, rtt = metrics.get("latency_s") or {}, metrics.get("rtt_s") or {}
        completion = metrics.get("completion_s") or {}
        row: list[Cell] = [name, str(metrics.get("kind", "")), quantity.count(metrics.get("flows"))]
        row.append(_with_interval(metrics))
        row += [quantity.seconds(latency.get(key)) for key in ("p50", "p99", "p999", "max")]
        row.append(quantity.seconds(metrics.get("delay_variation_s")))
        row += [quantity.seconds(rtt.get("p50"))] * is_tcp
        row += [quantity.percent(metrics.get("loss")),
                quantity.count(metrics.get("retransmissions")) if rtt else quantity.MISSING]  # fmt: skip
        row += [_fairness(metrics)] * is_shared
        if ended:
            row += [quantity.count(metrics.get("completed_flows")), quantity.seconds(completion.get("p50")),
                    quantity.seconds(completion.get("p99"))]  # fmt: skip
        grid.rows.append(row)
    return grid


def _fairness(metrics: dict[str, Any]) -> str:
    """Jain's index over the flows of a service; nothing to be fair about with one."""
    jain = metrics.get("jain")
    return f"{jain:.3f}" if quantity.is_number(jain) and (metrics.get("flows") or 0) > 1 else quantity.MISSING


def _with_interval(metrics: dict[str, Any]) -> str:
    """Goodput, with the half width of its 95 % interval where one was computed."""
    text, interval = quantity.rate(metrics.get("goodput_bps")), metrics.get("goodput_bps_ci95")
    if not (isinstance(interval, list) and len(interval) == 2 and all(map(quantity.is_number, interval))):
        return text
    half = (interval[1] - interval[0]) / 2
    return f"{text} ± {quantity.rate(half)}" if half > 0 else text


def _certificates(record: Record) -> Grid | None:
    rows = sorted(objectives.of_record(record), key=lambda row: level_of(row.verdict) == "good")
    if not rows:
        return None
    grid = Grid(
        columns("slice", "objective", ">promised", ">bound", ">observed", "verdict", "~figures"),
        more=max(0, len(rows) - OBJECTIVES),
    )
    for row in rows[:OBJECTIVES]:
        grid.rows.append(
            (row.slice_name, row.name.replace("_", " "), row.promised_text, row.bound_text, row.observed_text,
             marked(level_of(row.verdict), row.verdict), row.reason)
        )  # fmt: skip
    if not any(row.bound is not None for row in rows):
        _drop(grid, "bound")
    if not any(row.reason for row in rows):
        _drop(grid, "figures")
    return grid


def _projections(record: Record) -> Grid | None:
    rows = projections.rows(record)
    names = (f"{'>' if justify == 'right' else ''}{name}" for name, justify in projections.HEADINGS)
    return Grid(columns(*names), rows=list(rows)) if rows else None


def _deadlines(record: Record) -> Grid | None:
    rows = deadlines.rows(record)
    names = (f"{'>' if justify == 'right' else ''}{name}" for name, justify in deadlines.HEADINGS)
    return Grid(columns(*names), rows=list(rows)) if rows else None


def _drop(grid: Grid, name: str) -> None:
    index = [column.name for column in grid.columns].index(name)
    del grid.columns[index]
    grid.rows = [(*row[:index], *row[index + 1 :]) for row in grid.rows]


def _reasons(record: Record) -> list[str]:
    """What kept slices from being certified, where the row of an objective does not say it."""
    return [f"{name}: {reason}" for name, entry in record.slices.items() for reason in slice_reasons(entry)]


def _files(record: Record) -> list[tuple[str, str]]:
    """Path and size of every file of the record, as stop.json lists them."""
    listed = (record.stop or {}).get("files") or []
    return [(str(entry.get("path", "")), quantity.size(entry.get("bytes"))) for entry in listed]


def _ports(record: Record) -> Grid | None:
    if not record.links:
        return None
    busiest = sorted(record.links.items(), key=lambda item: -(item[1].get("utilisation") or 0.0))
    used = [item for item in busiest if (item[1].get("utilisation") or 0.0) > 0] or busiest
    grid = Grid(
        columns(
            "port",
            ">rate",
            ">utilisation",
            ">throughput",
            ">mean queue",
            ">largest queue",
            ">marks",
            "~dropped",
        ),
        more=max(0, len(record.links) - min(len(used), PORTS)),
    )
    rates = record.port_rates
    for name, metrics in used[:PORTS]:
        drops = metrics.get("drops") or {}
        grid.rows.append(
            (name, quantity.rate(metrics.get("rate_bps") or rates.get(name)),
             quantity.percent(metrics.get("utilisation")), quantity.rate(metrics.get("throughput_bps")),
             quantity.size(metrics.get("queue_bytes_mean")), quantity.size(metrics.get("queue_bytes_max")),
             quantity.count(metrics.get("marks")),
             ", ".join(f"{count:,} {reason}" for reason, count in drops.items() if count) or "none")
        )  # fmt: skip
    return grid


def _identity(record: Record) -> list[tuple[str, str]]:
    pairs = [("trial", record.trial), ("run", record.run), ("seed", str(record.seed))]
    pairs += [(f"{name} digest", str(value)) for name, value in record.digests.items()]
    pairs += [(name, str(value)) for name, value in (record.start.get("versions") or {}).items()]
    return pairs


def _machine(record: Record) -> list[tuple[str, str]]:
    pairs = [("engine", engine_line(record) or "did not run")]
    engine = record.metrics.get("engine") or {}
    if quantity.is_number(engine.get("peak_memory_bytes")):
        pairs.append(("peak memory", quantity.size(engine["peak_memory_bytes"])))
    estimate = record.start.get("estimate") or {}
    if quantity.is_number(estimate.get("wall_s")):
        pairs.append(("estimated before the run", quantity.seconds(estimate["wall_s"])))
    for name, value in (record.start.get("machine") or {}).items():
        words = str(name).removesuffix("_bytes").replace("_", " ")
        pairs.append((words, quantity.size(value) if str(name).endswith("_bytes") else _plain(value)))
    return pairs


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(entry)}" for key, entry in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)
