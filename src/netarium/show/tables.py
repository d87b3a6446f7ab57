"""Terminal tables: the summary after a run, the list of runs. Rich renderables; the caller prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from netarium.show import deadlines, objectives, projections, quantity
from netarium.show.columns import Columns
from netarium.show.record import Record
from netarium.show.verdict import (
    BAD,
    GOOD,
    MARKS,
    PLAIN,
    UNSURE,
    expectation_level,
    expectation_value,
    judge,
    level_of,
    slice_reasons,
    slice_verdict,
)

STYLES = {GOOD: "green", BAD: "bold red", UNSURE: "yellow", PLAIN: ""}
OBJECTIVE_WORDS = {"delay_variation": "delay var."}


def summary(record: Record, limit: int = 20) -> RenderableType:
    """One compact view of a run: services, slices, projections, expectations, the engine, the place.

    At most `limit` rows of each table are shown (what failed comes first among slices and expectations),
    then how many more there are. Fits 80 columns.
    """
    parts: list[RenderableType] = [_headline(record)]
    tables = (_services, _deadlines, _slices, _projections, _expectations)
    for part in (table(record, limit) for table in tables):
        if part is not None:
            parts += [Text(), part]
    parts += [Text(), *_engine(record), _place(record)]
    return Group(*parts)


def listing(records: Iterable[Record]) -> RenderableType:
    """One line per run, in the order given: name, trial, seed, when, wall time, verdict."""
    columns = (
        ("run", "left"),
        ("trial", "left"),
        ("seed", "right"),
        ("started", "right"),
        ("wall", "right"),
        ("verdict", "left"),
    )
    rows = []
    for record in records:
        verdict = judge(record)
        started = str(record.start.get("started", quantity.MISSING)).replace("T", " ")[:16]
        wall = quantity.seconds((record.metrics.get("engine") or {}).get("wall_s"))
        rows.append(
            (
                Text(record.run, style="bold"),
                record.trial,
                str(record.seed),
                started,
                wall,
                _marked(verdict.level, verdict.headline),
            )
        )
    return Columns(columns, rows) if rows else Text("no runs yet: netarium run interference-ab")


def campaign_listing(campaigns: Iterable[dict[str, Any]]) -> RenderableType:
    """One line per campaign, in the order given: name, trials, seeds, when, wall time, status."""
    columns = (
        ("campaign", "left"),
        ("trials", "right"),
        ("recorded", "right"),
        ("seeds", "right"),
        ("started", "right"),
        ("wall", "right"),
        ("status", "left"),
    )
    styles = {"succeeded": "green", "failed": "bold red"}
    rows = [
        (
            Text(each["campaign"], style="bold"),
            quantity.count(each["trials"]),
            quantity.count(each["recorded"]),
            quantity.count(each["seeds"]),
            str(each["started"] or quantity.MISSING).replace("T", " ")[:16],
            quantity.seconds(each["wall_s"]),
            Text(each["status"], style=styles.get(each["status"], "yellow")),
        )
        for each in campaigns
    ]
    return Columns(columns, rows)


def _headline(record: Record) -> Text:
    verdict = judge(record)
    line = Text()
    line.append(f"{MARKS[verdict.level]} {verdict.headline}", style=f"bold {STYLES[verdict.level]}".strip())
    line.append(f"  {record.title}\n", style="bold")
    line.append("; ".join(verdict.sentences))
    line.append(f"{'; ' if verdict.sentences else ''}seed {record.seed}, {record.mode}", style="dim")
    return line


def _services(record: Record, limit: int) -> RenderableType | None:
    if not record.services:
        return None
    columns = (
        ("service", "left"),
        ("kind", "left"),
        ("flows", "right"),
        ("goodput", "right"),
        ("latency\np50", "right"),
        ("latency\np99", "right"),
        ("loss", "right"),
        ("retr", "right"),
    )
    rows = [(name, *service_cells(metrics)) for name, metrics in list(record.services.items())[:limit]]
    return _with_rest(Columns(columns, rows), len(record.services) - limit)


def service_cells(metrics: dict[str, Any]) -> list[str]:
    """kind, flows, goodput, latency p50 and p99, loss, retransmissions of one service, as text."""
    latency = metrics.get("latency_s") or {}
    is_tcp = bool(metrics.get("rtt_s")) or bool(metrics.get("retransmissions"))
    return [
        str(metrics.get("kind", quantity.MISSING)),
        quantity.count(metrics.get("flows")),
        quantity.rate(metrics.get("goodput_bps")),
        quantity.seconds(latency.get("p50")),
        quantity.seconds(latency.get("p99")),
        quantity.percent(metrics.get("loss")),
        quantity.count(metrics.get("retransmissions")) if is_tcp else quantity.MISSING,
    ]


def _slices(record: Record, limit: int) -> RenderableType | None:
    """Every objective while there are few slices; of many, only what was not delivered, and a count."""
    if not record.slices:
        return None
    columns = (
        ("slice", "left"),
        ("objective", "left"),
        ("promised", "right"),
        ("observed", "right"),
        ("verdict", "left"),
    )
    held = [name for name, entry in record.slices.items() if level_of(slice_verdict(entry)) == GOOD]
    briefly = len(record.slices) > 5
    shown = [name for name in record.slices if not (briefly and name in set(held))]
    rows: list[tuple[str | Text, ...]] = []
    for name in shown[:limit]:
        rows += _slice_rows(name, record.slices[name], only_problems=briefly)
    parts: list[RenderableType] = [_with_rest(Columns(columns, rows), len(shown) - limit)] if rows else []
    reasons = [f"{name}: {reason}" for name in shown[:limit] for reason in slice_reasons(record.slices[name])]
    parts += [Text(reason, style=STYLES[UNSURE]) for reason in reasons[:limit]]
    if briefly and held:
        every = "every" if len(held) == len(record.slices) else "the other"
        parts.append(_marked(GOOD, f"{every} {len(held):,} slices: all objectives delivered"))
    return Group(*parts)


def _slice_rows(name: str, certificate: dict[str, Any], only_problems: bool) -> list[tuple[str | Text, ...]]:
    verdict = slice_verdict(certificate)
    found = [
        row
        for row in objectives.of_slice(name, certificate)
        if not (only_problems and level_of(row.verdict) == GOOD)
    ]
    if not found:
        return [(name, "", "", "", _marked(level_of(verdict), verdict))]
    return [
        (
            name if index == 0 else "",
            OBJECTIVE_WORDS.get(row.name, row.name),
            row.promised_text,
            row.observed_text,
            _marked(level_of(row.verdict), row.verdict),
        )
        for index, row in enumerate(found)
    ]


def _deadlines(record: Record, limit: int) -> RenderableType | None:
    rows = deadlines.rows(record)
    if not rows:
        return None
    return _with_rest(Columns(deadlines.HEADINGS, rows[:limit]), len(rows) - limit)


def _projections(record: Record, limit: int) -> RenderableType | None:
    rows = projections.rows(record)
    if not rows:
        return None
    table = _with_rest(Columns(projections.HEADINGS, rows[:limit]), len(rows) - limit)
    return Group(table, Text(projections.explanation(record), style="dim"))


def _expectations(record: Record, limit: int) -> RenderableType | None:
    if not record.expectations:
        return None
    columns = (("expected", "left"), ("observed", "right"), ("verdict", "left"))
    ordered = sorted(record.expectations, key=lambda entry: expectation_level(entry) == GOOD)
    rows = []
    for entry in ordered[:limit]:
        level = expectation_level(entry)
        words = {GOOD: "met", BAD: "not met"}.get(level, "not known")
        rows.append((str(entry.get("text", "")), expectation_value(entry), _marked(level, words)))
    return _with_rest(Columns(columns, rows), len(ordered) - limit)


def engine_line(record: Record) -> str:
    """Virtual time, wall time, packet-hops and their rate, in one sentence; empty when nothing ran."""
    engine = record.metrics.get("engine") or {}
    if not engine:
        return ""
    parts = [
        f"{quantity.seconds(engine.get('virtual_s'))} of virtual time"
        f" in {quantity.seconds(engine.get('wall_s'))}"
    ]
    if quantity.is_number(engine.get("packet_hops")):
        speed = quantity.count(engine.get("packet_hops_per_s"))
        parts.append(f"{quantity.count(engine['packet_hops'])} packet-hops ({speed}/s)")
    if quantity.is_number(engine.get("compile_s")) and engine["compile_s"] > 1:
        parts.append(f"{quantity.seconds(engine['compile_s'])} to compile")
    return ", ".join(parts)


def conservation_line(record: Record) -> str:
    """sent = delivered + dropped + in flight, with the figures; empty when not recorded."""
    found = record.metrics.get("conservation") or {}
    if not found:
        return ""
    dropped = sum((found.get("dropped") or {}).values())
    sent, rest = found.get("sent", 0), found.get("delivered", 0) + found.get("in_flight", 0) + dropped
    line = (
        f"packets: {sent:,} sent = {found.get('delivered', 0):,} delivered + {dropped:,} dropped"
        f" + {found.get('in_flight', 0):,} in flight"
    )
    return line if sent == rest else f"{line}: {abs(sent - rest):,} UNACCOUNTED"


def _engine(record: Record) -> list[Text]:
    return [Text(line, style="dim") for line in (engine_line(record), conservation_line(record)) if line]


def _place(record: Record) -> Text:
    report = record.folder / "report.html"
    line = Text(overflow="fold")
    line.append("run ", style="dim").append(record.run, style="bold")
    line.append("  record ", style="dim").append(str(record.folder))
    if report.exists():
        line.append("\nreport ", style="dim").append(str(report), style="bold")
    return line


def _with_rest(table: RenderableType, more: int) -> RenderableType:
    if more <= 0:
        return table
    return Group(table, Text(f"and {more:,} more, see metrics.json", style="dim"))


def _marked(level: str, words: str) -> Text:
    return Text(f"{MARKS[level]} {words}", style=STYLES[level])
